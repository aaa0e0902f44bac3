package main

import (
	"encoding/binary"
	"fmt"
	"syscall"
)

// The part of HTTP/2 (RFC 9113) and of gRPC over it that a relay's neighbours need. HPACK (RFC 7541) is only written,
// as literals: nothing here has to understand a header, see agentConn.request and reader.onFrame.

const (
	frameData         = 0
	frameHeaders      = 1
	frameRstStream    = 3
	frameSettings     = 4
	framePing         = 6
	frameGoAway       = 7
	frameWindowUpdate = 8

	flagEndStream  = 1
	flagAck        = 1
	flagEndHeaders = 4
	flagPadded     = 8

	settingInitialWindow = 4
	settingMaxFrame      = 5

	defaultWindow   = 65535
	defaultMaxFrame = 16384
	preface         = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	// As much as grpc-go's window grows to by itself.
	receiveWindow = 16 << 20
)

// peer is one end's behaviour on top of a connection.
type peer interface {
	// onData sees DATA payload in pieces as they arrive.
	onData(stream uint32, piece []byte)
	// onFrame sees every whole frame but DATA, of which it sees the end with an empty payload.
	onFrame(kind, flags byte, stream uint32, payload []byte)
	// onRoom is called when the socket or a window takes bytes again.
	onRoom()
	onClose(reason string)
}

type conn struct {
	loop   *loop
	fd     int
	peer   peer
	closed bool

	out     []byte
	outAt   int
	blocked bool // the socket's send buffer is full

	skip    int // bytes of a client's preface still to come
	head    [9]byte
	headLen int
	kind    byte
	flags   byte
	stream  uint32
	left    int // payload bytes of the current frame still to come
	payload []byte

	sendWindow    int64 // of the connection
	initialWindow int64 // of a new stream, as the other end wants it
	received      int   // DATA bytes not yet given back to the connection's window
	lastReadNs    int64
	lastRead      int // bytes; less than was asked for = the socket is empty
}

func newConn(l *loop, fd int, p peer) *conn {
	return &conn{loop: l, fd: fd, peer: p, sendWindow: defaultWindow, initialWindow: defaultWindow, lastReadNs: l.now()}
}

func (c *conn) ready(events uint32) {
	if events&syscall.EPOLLOUT != 0 {
		c.blocked = false
		c.loop.poller.watchWrites(c.fd, false)
		c.flush()
		if !c.closed && !c.blocked {
			c.peer.onRoom()
		}
	}
	if events&^uint32(syscall.EPOLLOUT) == 0 || c.closed {
		return
	}
	n, errno := readFd(c.fd, c.loop.input)
	c.lastRead = n
	switch {
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
	case errno != 0:
		c.close(errno.Error())
	case n == 0:
		c.close("closed by the other end")
	default:
		c.lastReadNs = c.loop.now()
		c.parse(c.loop.input[:n])
		c.flush()
	}
}

func (c *conn) parse(b []byte) {
	if c.skip > 0 {
		n := min(c.skip, len(b))
		c.skip -= n
		b = b[n:]
	}
	for len(b) > 0 && !c.closed {
		if c.headLen < len(c.head) {
			n := copy(c.head[c.headLen:], b)
			c.headLen += n
			b = b[n:]
			if c.headLen < len(c.head) {
				return
			}
			c.left = int(c.head[0])<<16 | int(c.head[1])<<8 | int(c.head[2])
			c.kind, c.flags = c.head[3], c.head[4]
			c.stream = binary.BigEndian.Uint32(c.head[5:]) & 0x7fffffff
			c.payload = c.payload[:0]
			if c.kind == frameData {
				if c.flags&flagPadded != 0 {
					c.close("sent padded DATA, which this load cannot read")
					return
				}
				c.received += c.left
			}
		}
		n := min(c.left, len(b))
		if c.kind == frameData {
			c.peer.onData(c.stream, b[:n])
		} else {
			c.payload = append(c.payload, b[:n]...)
		}
		c.left -= n
		b = b[n:]
		if c.left == 0 {
			c.headLen = 0
			c.frameEnded()
		}
	}
	if c.received >= receiveWindow/2 {
		c.windowUpdate(0, c.received)
		c.received = 0
	}
}

func (c *conn) frameEnded() {
	switch {
	case c.kind == frameSettings && c.flags&flagAck == 0:
		for p := c.payload; len(p) >= 6; p = p[6:] {
			if binary.BigEndian.Uint16(p) == settingInitialWindow {
				c.initialWindow = int64(binary.BigEndian.Uint32(p[2:]))
			}
		}
		c.frame(frameSettings, flagAck, 0, nil)
	case c.kind == framePing && c.flags&flagAck == 0:
		c.frame(framePing, flagAck, 0, c.payload)
		return
	case c.kind == frameWindowUpdate && c.stream == 0 && len(c.payload) == 4:
		c.sendWindow += int64(binary.BigEndian.Uint32(c.payload))
		c.peer.onRoom()
		return
	}
	c.peer.onFrame(c.kind, c.flags, c.stream, c.payload)
}

func appendHead(out []byte, length int, kind, flags byte, stream uint32) []byte {
	return append(out, byte(length>>16), byte(length>>8), byte(length), kind, flags,
		byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
}

func (c *conn) frame(kind, flags byte, stream uint32, payload []byte) {
	c.out = append(appendHead(c.out, len(payload), kind, flags, stream), payload...)
}

// message appends one gRPC message as one DATA frame.
func (c *conn) message(stream uint32, flags byte, message []byte) {
	c.out = appendHead(c.out, 5+len(message), frameData, flags, stream)
	c.out = append(c.out, 0)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(len(message)))
	c.out = append(c.out, message...)
}

func (c *conn) settings(pairs ...uint32) {
	var payload []byte
	for i := 0; i+1 < len(pairs); i += 2 {
		payload = binary.BigEndian.AppendUint16(payload, uint16(pairs[i]))
		payload = binary.BigEndian.AppendUint32(payload, pairs[i+1])
	}
	c.frame(frameSettings, 0, 0, payload)
}

func (c *conn) windowUpdate(stream uint32, by int) {
	c.frame(frameWindowUpdate, 0, stream, binary.BigEndian.AppendUint32(nil, uint32(by)))
}

func (c *conn) waiting() int { return len(c.out) - c.outAt }

// flush writes what it can; the rest goes when the socket has room.
func (c *conn) flush() {
	for !c.closed && !c.blocked && c.outAt < len(c.out) {
		n, errno := writeFd(c.fd, c.out[c.outAt:])
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			c.blocked = true
			c.loop.poller.watchWrites(c.fd, true)
		case errno != 0:
			c.close(errno.Error())
		default:
			c.outAt += n
		}
	}
	if c.outAt == len(c.out) {
		c.out, c.outAt = c.out[:0], 0
	}
}

func (c *conn) close(reason string) {
	if c.closed {
		return
	}
	c.closed = true
	c.loop.poller.close(c.fd)
	c.peer.onClose(reason)
}

// Header blocks: indexed fields of the static table (RFC 7541 appendix A) and literals that enter no table.

func literal(out []byte, name, value string) []byte {
	out = append(append(out, 0, byte(len(name))), name...)
	return append(append(out, byte(len(value))), value...)
}

// literalAt takes the name from the static table; index must be below 15.
func literalAt(out []byte, index byte, value string) []byte {
	return append(append(out, index, byte(len(value))), value...)
}

func requestHeaders(path, authority string) []byte {
	if len(path) > 126 || len(authority) > 126 {
		panic(fatal{fmt.Sprintf("Cannot ask %q for %q: longer than 126 characters", authority, path)})
	}
	out := []byte{0x83, 0x86} // :method POST, :scheme http
	out = literalAt(out, 4, path)
	out = literalAt(out, 1, authority)
	out = literal(out, "content-type", "application/grpc")
	return literal(out, "te", "trailers")
}

func responseHeaders() []byte {
	return literal([]byte{0x88}, "content-type", "application/grpc") // :status 200
}

func okTrailers() []byte { return literal(nil, "grpc-status", "0") }
