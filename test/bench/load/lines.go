package main

import "bytes"

// What Go's encoding/json writes before the digits, whoever prints the line.
var idKey = []byte(`"ContainerID":"`)

// lines reads what a relay prints: events as JSON, one a line.
type lines struct {
	reader  *reader
	fd      int
	at      int // where the digits were in the line before: most often they are there again
	partial []byte
}

func newLines(r *reader, path string) *lines {
	s := &lines{reader: r, fd: openPipe(path)}
	r.loop.poller.addFirst(s.fd, s)
	return s
}

func (s *lines) ready(uint32) {
	l := s.reader.loop
	for range readsInARow {
		n, errno := readFd(s.fd, l.input)
		if errno != 0 {
			return // nothing there yet
		}
		if n == 0 {
			l.poller.close(s.fd)
			s.reader.ended = append(s.reader.ended, "stdout closed")
			return
		}
		s.split(l.input[:n], l.now())
	}
}

func (s *lines) split(b []byte, nowNs int64) {
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			s.partial = append(s.partial, b...)
			return
		}
		line := b[:end]
		if len(s.partial) > 0 {
			s.partial = append(s.partial, line...)
			line = s.partial
		}
		s.take(line, nowNs)
		s.partial = s.partial[:0]
		b = b[end+1:]
	}
}

func (s *lines) take(line []byte, nowNs int64) {
	if start := s.at - len(idKey); start < 0 || len(line) < s.at || !bytes.Equal(line[start:s.at], idKey) {
		at := bytes.Index(line, idKey)
		if at < 0 {
			s.reader.foreign++
			return
		}
		s.at = at + len(idKey)
	}
	if len(line) < s.at+idDigits+1 || line[s.at+idDigits] != '"' || line[len(line)-1] != '}' {
		s.reader.foreign++
		return
	}
	s.reader.takeID(line[s.at:s.at+idDigits], nowNs)
}
