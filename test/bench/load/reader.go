package main

import (
	"encoding/binary"
	"net/netip"
)

const (
	sampleEvery = 8 // one event in so many has its latency taken
	readsInARow = 8
)

// How a reader takes events. Only the first kind counts for what is delivered and what is missing.
const (
	paceFull    = "full"
	paceSlow    = "slow"    // the default window, once a second
	paceStalled = "stalled" // never more than the default window: its program does not read, its HTTP/2 stack lives
)

// reader is one subscriber: it counts and checks, and keeps nothing. Straight to the agents it has a connection to each.
type reader struct {
	loop  *loop
	pace  string
	conns []*readerConn
	// next number per agent; -1 = none seen yet
	next []int64
	gaps [][]gap

	delivered  uint64
	missing    uint64 // numbers passed over and not seen since
	duplicated uint64
	reordered  uint64 // seen after a later one
	foreign    uint64 // not an event of this load
	ended      []string
}

// gap is a range of numbers passed over: [from, to).
type gap struct{ from, to int64 }

type readerConn struct {
	*conn
	reader   *reader
	partial  []byte
	consumed int // DATA bytes not yet given back to the stream's window
}

func newReader(l *loop, pace string) *reader {
	r := &reader{loop: l, pace: pace, next: make([]int64, len(l.agents)), gaps: make([][]gap, len(l.agents))}
	for i := range r.next {
		r.next[i] = -1
	}
	return r
}

func (r *reader) subscribe(addresses []netip.AddrPort) {
	l := r.loop
	window := uint32(receiveWindow)
	if r.pace != paceFull {
		window = defaultWindow
	}
	for _, address := range addresses {
		rc := &readerConn{reader: r}
		rc.conn = newConn(l, connect(address), rc)
		l.poller.addFirst(rc.fd, rc)
		rc.out = append(rc.out, preface...)
		rc.settings(settingInitialWindow, window)
		rc.windowUpdate(0, receiveWindow-defaultWindow)
		rc.frame(frameHeaders, flagEndHeaders, 1, requestHeaders(l.path, address.String()))
		rc.message(1, flagEndStream, l.filter)
		rc.flush()
		r.conns = append(r.conns, rc)
	}
}

// ready empties the socket, within bounds: a reader that leaves bytes behind would look like a relay that is slow.
func (c *readerConn) ready(events uint32) {
	for range readsInARow {
		if c.conn.ready(events); c.closed || c.lastRead < len(c.loop.input) {
			return
		}
	}
}

func (c *readerConn) onRoom() {}

func (c *readerConn) giveBack() {
	if c.consumed > 0 && !c.closed {
		c.windowUpdate(1, c.consumed)
		c.consumed = 0
		c.flush()
	}
}

func (c *readerConn) onData(_ uint32, b []byte) {
	c.consumed += len(b)
	if c.consumed >= receiveWindow/2 {
		c.giveBack()
	}
	if len(c.partial) > 0 {
		b = c.complete(b)
	}
	for len(b) >= 5 {
		end := 5 + int(binary.BigEndian.Uint32(b[1:]))
		if len(b) < end {
			break
		}
		c.reader.take(b[5:end], c.lastReadNs)
		b = b[end:]
	}
	c.partial = append(c.partial, b...)
}

// complete finishes the message that an earlier piece began and returns what follows it.
func (c *readerConn) complete(b []byte) []byte {
	need := 5
	if len(c.partial) >= 5 {
		need += int(binary.BigEndian.Uint32(c.partial[1:]))
	}
	n := min(need-len(c.partial), len(b))
	c.partial = append(c.partial, b[:n]...)
	b = b[n:]
	if len(c.partial) < need {
		return b
	}
	if need == 5 && binary.BigEndian.Uint32(c.partial[1:]) > 0 {
		return c.complete(b)
	}
	c.reader.take(c.partial[5:], c.lastReadNs)
	c.partial = c.partial[:0]
	return b
}

func (c *readerConn) onFrame(kind, flags byte, stream uint32, payload []byte) {
	switch {
	case kind == frameRstStream:
		c.close("stream reset")
	case kind == frameGoAway:
		c.close("GOAWAY")
	case (kind == frameHeaders || kind == frameData) && flags&flagEndStream != 0:
		c.close("stream ended")
	}
}

func (c *readerConn) onClose(reason string) { c.reader.ended = append(c.reader.ended, reason) }

func (r *reader) take(message []byte, nowNs int64) {
	at := r.loop.event.at
	if len(message) < at+idDigits {
		r.delivered++
		r.foreign++
		return
	}
	r.takeID(message[at:at+idDigits], nowNs)
}

// takeID is take, of the event's digits.
func (r *reader) takeID(text []byte, nowNs int64) {
	r.delivered++
	id, ok := digits(text[:12])
	agent, number := id>>32, int64(id&0xffffffff)
	if !ok || agent >= uint64(len(r.next)) {
		r.foreign++
		return
	}
	if next := r.next[agent]; number == next {
		r.next[agent] = number + 1
	} else {
		r.outOfLine(int(agent), number)
	}
	// Mixed with the agent, so that a short run of many agents has samples, too.
	if (uint64(number)+agent)%sampleEvery == 0 || r.loop.awaited {
		if created, ok := digits(text[12:28]); ok {
			r.loop.seen(int64(created), nowNs, r.pace == paceFull)
		}
	}
}

// outOfLine is every number but the expected one.
func (r *reader) outOfLine(agent int, number int64) {
	next := r.next[agent]
	if next < 0 {
		r.next[agent] = number + 1 // counting starts with the first event seen
		return
	}
	if number > next {
		r.missing += uint64(number - next)
		r.gaps[agent] = append(r.gaps[agent], gap{next, number})
		r.next[agent] = number + 1
		return
	}
	gaps := r.gaps[agent]
	for i, g := range gaps {
		if number < g.from || number >= g.to {
			continue
		}
		r.reordered++
		r.missing--
		gaps[i].to = number
		if number+1 < g.to {
			r.gaps[agent] = append(gaps, gap{number + 1, g.to})
		}
		return
	}
	r.duplicated++
}

// behind is how many events this reader has not seen of those that its agents have made since its first: on their way,
// or, when nothing moves any more, lost at the end.
func (r *reader) behind() (events uint64) {
	for i, a := range r.loop.agents {
		if next := r.next[i]; next >= 0 {
			events += uint64(int64(a.number) - next)
		} else {
			events += uint64(a.number)
		}
	}
	return events
}
