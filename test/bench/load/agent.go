package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"syscall"
)

const (
	queueSlots   = 1000              // KubeArmor's queue per subscriber
	writeQuota   = 64 << 10          // what grpc-go lets a stream have on its way to the socket
	pingAfterNs  = 1e9               // KubeArmor's keepalive: a ping after so long without a byte from the client,
	pingFailedNs = pingAfterNs + 5e9 // and the connection ends after so much longer
)

// agent plays one KubeArmor agent: one listener, any number of subscribers, one sequence of numbered events.
type agent struct {
	loop    *loop
	address netip.AddrPort
	id      uint32
	fd      int
	number  uint32
	streams []*subscription

	unheard uint64 // events nobody was subscribed to; they take no number
	dropped uint64 // by a full queue, per subscriber
	cut     uint64 // still queued when a subscriber went away
}

type queued struct {
	number    uint32
	createdNs int64
}

// subscription is one stream that gets the events, with KubeArmor's queue in front: full means the newest is dropped.
type subscription struct {
	conn    *agentConn
	stream  uint32
	window  int64
	started bool // response headers sent
	queue   [queueSlots]queued
	first   int
	count   int
}

// agentConn is the agent's side of a client's connection.
type agentConn struct {
	*conn
	agent    *agent
	requests map[uint32]*request
	subs     []*subscription
	dirty    bool
	pinged   bool
}

type request struct {
	body   []byte
	window int64
	served bool
	sub    *subscription
}

func newAgent(l *loop, id uint32, address netip.AddrPort) *agent {
	a := &agent{loop: l, address: address, id: id}
	a.up()
	return a
}

func (a *agent) up() {
	a.fd = listen(a.address)
	a.loop.poller.add(a.fd, a)
}

// down is the end of the agent's process: nothing listens any more, and every connection ends.
func (a *agent) down() {
	a.loop.poller.close(a.fd)
	for c := range a.loop.agentConns {
		if c.agent == a {
			c.close("the agent went down")
		}
	}
}

// ready accepts.
func (a *agent) ready(uint32) {
	fd, _, err := syscall.Accept4(a.fd, syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK)
	if err != nil {
		return // the client has gone again
	}
	setUp(fd)
	ac := &agentConn{agent: a, requests: map[uint32]*request{}}
	ac.conn = newConn(a.loop, fd, ac)
	a.loop.poller.add(fd, ac.conn)
	ac.skip = len(preface)
	ac.settings()
	ac.flush()
	a.loop.agentConns[ac] = struct{}{}
}

// create makes one event and queues it for every subscriber.
func (a *agent) create(nowNs int64) {
	if len(a.streams) == 0 {
		a.unheard++
		return
	}
	for _, s := range a.streams {
		if s.count == queueSlots {
			a.dropped++
			continue
		}
		s.queue[(s.first+s.count)%queueSlots] = queued{a.number, nowNs}
		s.count++
		s.conn.touch()
	}
	a.number++
}

// fill makes events until a queue is half full: as many as the subscribers take, none dropped.
func (a *agent) fill(nowNs int64) (created uint64) {
	for len(a.streams) > 0 {
		for _, s := range a.streams {
			if s.count >= queueSlots/2 {
				return created
			}
		}
		a.create(nowNs)
		created++
	}
	return created
}

func (c *agentConn) touch() {
	if !c.dirty {
		c.dirty = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
}

// pump moves events from the queues to the socket as far as the windows allow. An event is sent whole or not yet:
// grpc-go would split it over a window's end, which changes nothing with windows much larger than an event.
func (c *agentConn) pump() {
	c.dirty = false
	for {
		before := c.loop.sent
		for _, s := range c.subs {
			c.move(s)
		}
		c.flush()
		// Once the socket has taken a full quota there is room again, and nobody else will say so.
		if c.closed || c.blocked || c.loop.sent == before {
			return
		}
	}
}

func (c *agentConn) move(s *subscription) {
	size := int64(len(c.loop.event.frame) - 9)
	for s.count > 0 && c.waiting() < writeQuota && c.sendWindow >= size && s.window >= size {
		if !s.started {
			s.started = true
			c.frame(frameHeaders, flagEndHeaders, s.stream, responseHeaders())
		}
		q := &s.queue[s.first]
		c.out = c.loop.event.appendTo(c.out, s.stream, c.agent.id, q.number, q.createdNs)
		s.first = (s.first + 1) % queueSlots
		s.count--
		c.sendWindow -= size
		s.window -= size
		c.loop.sent++
	}
}

func (c *agentConn) onRoom() { c.pump() }

func (c *agentConn) onData(stream uint32, piece []byte) {
	if r, ok := c.requests[stream]; ok && !r.served {
		r.body = append(r.body, piece...)
		c.serve(stream, r)
	}
}

func (c *agentConn) onFrame(kind, flags byte, stream uint32, payload []byte) {
	switch kind {
	case frameHeaders:
		c.requests[stream] = &request{window: c.initialWindow}
	case frameWindowUpdate:
		if r, ok := c.requests[stream]; ok && len(payload) == 4 {
			by := int64(binary.BigEndian.Uint32(payload))
			r.window += by
			if r.sub != nil {
				r.sub.window += by
				c.pump()
			}
		}
	case framePing:
		c.pinged = false
	case frameRstStream:
		if r, ok := c.requests[stream]; ok {
			delete(c.requests, stream)
			c.leave(r.sub)
		}
	}
}

// serve answers once the request's one message is complete. Which method was called is told by the message, so that no
// HPACK has to be decoded: HealthCheck sends a number (field 1, varint, or nothing at all) and gets the same bytes back;
// the watches send a filter (field 1, text), and the filters the relay sends to agents differ.
func (c *agentConn) serve(stream uint32, r *request) {
	if len(r.body) < 5 || len(r.body) < 5+int(binary.BigEndian.Uint32(r.body[1:])) {
		return
	}
	r.served = true
	message := r.body[5:]
	if len(message) == 0 || message[0] == 1<<3 {
		c.frame(frameHeaders, flagEndHeaders, stream, responseHeaders())
		c.message(stream, 0, message)
		c.frame(frameHeaders, flagEndHeaders|flagEndStream, stream, okTrailers())
		delete(c.requests, stream)
		return
	}
	if !bytes.Equal(message, c.loop.filter) {
		return // a watch of something that does not happen here: it stays open and silent
	}
	r.sub = &subscription{conn: c, stream: stream, window: r.window}
	c.subs = append(c.subs, r.sub)
	c.agent.streams = append(c.agent.streams, r.sub)
}

func (c *agentConn) leave(s *subscription) {
	if s == nil {
		return
	}
	c.agent.cut += uint64(s.count)
	c.subs = without(c.subs, s)
	c.agent.streams = without(c.agent.streams, s)
}

func without[T comparable](list []T, item T) []T {
	kept := make([]T, 0, len(list))
	for _, other := range list {
		if other != item {
			kept = append(kept, other)
		}
	}
	return kept
}

func (c *agentConn) onClose(string) {
	for _, s := range c.subs {
		c.leave(s)
	}
	delete(c.loop.agentConns, c)
}

// keepAlive is called every second.
func (c *agentConn) keepAlive(nowNs int64) {
	silentNs := nowNs - c.lastReadNs
	switch {
	case silentNs >= pingFailedNs:
		c.loop.keepaliveFailures++
		c.close("did not answer a ping")
	case silentNs >= pingAfterNs && !c.pinged:
		c.pinged = true
		c.frame(framePing, 0, 0, make([]byte, 8))
		c.flush()
	}
}
