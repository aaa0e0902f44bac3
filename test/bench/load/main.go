// A load for measuring relays: N agents and M counting readers in one thread, raw HTTP/2 frames on both sides, so that it
// costs less than what it measures. Commands come as lines on stdin, each is answered by one JSON line on stdout:
//
//	subscribe PACE COUNT ADDRESS...  COUNT readers, each subscribed at every address; PACE is full, slow or stalled
//	lines PATH                       a reader of the JSON lines in a named pipe
//	down MS                          the agents' listeners and connections vanish for so long
//	rate EVENTS_PER_SECOND           of all agents together; 0 stops, max = as fast as subscribers take them
//	burst EVENTS EVENTS_PER_SECOND   that many, then none
//	state                            counters so far
//	mark                             the same; latencies start anew
//
// It ends when stdin does. Run it with GODEBUG=asyncpreemptoff=1: with one goroutine, preemption only interrupts system calls.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// An event made later than this after its time counts as late: the load, not the relay, had no time.
	lateNs = 2e6
	// Events of one agent in one round: after a pause of the load's, those due must not overflow the agent's queue.
	roundEvents = 64
)

type loop struct {
	poller *poller
	start  time.Time
	input  []byte

	event  *event
	path   string
	filter []byte // the request message

	agents     []*agent
	agentConns map[*agentConn]struct{}
	readers    []*reader
	dirty      []*agentConn

	upAtNs  int64 // when agents that are down come back; 0 = they are up
	upNs    int64 // when they did
	backNs  int64 // from then to the first event since; 0 = none yet
	awaited bool  // that event

	minTickNs int64
	rate      float64 // events a second; 0 = none
	max       bool
	rateNs    int64 // when the rate was set
	made      int64 // events since then
	limit     int64 // of them
	nextNs    int64 // when to make events again

	created           uint64
	late              uint64
	maxLateNs         int64
	sent              uint64
	keepaliveFailures uint64
	latency           histogram

	command []byte
}

// now is monotonic, in nanoseconds since the start.
func (l *loop) now() int64 { return int64(time.Since(l.start)) }

// pace makes the events that are due, evenly over time and over the agents, and returns when to come back.
func (l *loop) pace(now int64) (nextNs int64) {
	switch {
	case l.max:
		for _, a := range l.agents {
			l.created += a.fill(now)
		}
		nextNs = now + 1e6
	case l.rate > 0:
		due := min(int64(float64(now-l.rateNs)*l.rate/1e9), l.limit)
		for round := l.made + int64(roundEvents*len(l.agents)); l.made < min(due, round); l.made++ {
			lateBy := now - l.rateNs - int64(float64(l.made+1)*1e9/l.rate)
			if lateBy > lateNs {
				l.late++
			}
			l.maxLateNs = max(l.maxLateNs, lateBy)
			l.agents[l.created%uint64(len(l.agents))].create(now)
			l.created++
		}
		nextNs = max(l.rateNs+int64(float64(l.made+1)*1e9/l.rate), now+l.minTickNs)
		if l.made < due {
			nextNs = now
		}
	default:
		nextNs = now + 1e9
	}
	for _, c := range l.dirty {
		if !c.closed {
			c.pump()
		}
	}
	l.dirty = l.dirty[:0]
	return nextNs
}

// seen is told of events that arrive.
func (l *loop) seen(createdNs, nowNs int64, counts bool) {
	if counts {
		l.latency.add(nowNs - createdNs)
	}
	if l.awaited && createdNs >= l.upNs {
		l.awaited = false
		l.backNs = nowNs - l.upNs
	}
}

func (l *loop) down(forNs int64) {
	for _, a := range l.agents {
		a.down()
	}
	l.upAtNs, l.backNs = l.now()+forNs, 0
}

func (l *loop) up(nowNs int64) {
	for _, a := range l.agents {
		a.up()
	}
	l.upAtNs, l.upNs, l.backNs, l.awaited = 0, nowNs, 0, true
}

func (l *loop) run() {
	nextSecond := l.now() + 1e9
	for {
		now := l.now()
		// Not at every wake-up: an event that comes back would make the next one early, and the two programs would chase each other.
		if now >= l.nextNs {
			l.nextNs = l.pace(now)
		}
		if now >= nextSecond {
			nextSecond = now + 1e9
			for c := range l.agentConns {
				c.keepAlive(now)
			}
			l.feedSlow()
		}
		wakeNs := min(l.nextNs, nextSecond)
		if l.upAtNs > 0 {
			if now >= l.upAtNs {
				l.up(now)
			} else {
				wakeNs = min(wakeNs, l.upAtNs)
			}
		}
		l.poller.wait(max(0, wakeNs-l.now()))
	}
}

func (l *loop) feedSlow() {
	for _, r := range l.readers {
		if r.pace != paceSlow {
			continue
		}
		for _, c := range r.conns {
			c.giveBack()
		}
	}
}

// ready reads commands.
func (l *loop) ready(uint32) {
	n, errno := readFd(0, l.input)
	if errno == syscall.EAGAIN || errno == syscall.EINTR {
		return
	}
	if errno != 0 || n == 0 {
		os.Exit(0)
	}
	l.command = append(l.command, l.input[:n]...)
	for {
		end := bytes.IndexByte(l.command, '\n')
		if end < 0 {
			return
		}
		answer, err := json.Marshal(l.obey(strings.Fields(string(l.command[:end]))))
		must("encode an answer", err)
		l.command = l.command[end+1:]
		_, err = os.Stdout.Write(append(answer, '\n'))
		must("answer", err)
	}
}

func (l *loop) obey(words []string) counters {
	switch {
	case len(words) > 3 && words[0] == "subscribe":
		count, err := strconv.Atoi(words[2])
		must("read how many readers", err)
		for range count {
			r := newReader(l, words[1])
			r.subscribe(addresses(words[3:]))
			l.readers = append(l.readers, r)
		}
	case len(words) == 2 && words[0] == "lines":
		r := newReader(l, paceFull)
		l.readers = append(l.readers, r)
		newLines(r, words[1])
	case len(words) == 2 && words[0] == "down":
		ms, err := strconv.ParseInt(words[1], 10, 64)
		must("read how long", err)
		l.down(ms * 1e6)
	case len(words) == 2 && words[0] == "rate":
		l.setRate(words[1], math.MaxInt64)
	case len(words) == 3 && words[0] == "burst":
		limit, err := strconv.ParseInt(words[1], 10, 64)
		must("read how many events", err)
		l.setRate(words[2], limit)
	case len(words) == 1 && (words[0] == "state" || words[0] == "mark"):
	default:
		panic(fatal{fmt.Sprintf("Cannot obey %q: subscribe, lines, down, rate, burst, state or mark is wanted", words)})
	}
	c := l.count()
	if words[0] == "mark" {
		l.latency.reset()
		l.maxLateNs = 0
	}
	return c
}

func (l *loop) setRate(text string, limit int64) {
	l.rateNs, l.made, l.limit = l.now(), 0, limit
	l.nextNs = l.rateNs
	l.max = text == "max"
	l.rate = 0
	if !l.max {
		rate, err := strconv.ParseFloat(text, 64)
		must("read a rate", err)
		l.rate = rate
	}
}

// counters are totals since the start, except the latencies and the maximum: since the last mark.
type counters struct {
	AtNs              int64    `json:"atNs"`
	CPUNs             int64    `json:"cpuNs"`
	Created           uint64   `json:"created"`
	Late              uint64   `json:"late"`
	MaxLateNs         int64    `json:"maxLateNs"`
	Sent              uint64   `json:"sent"`
	AgentsWatched     int      `json:"agentsWatched"`
	AgentStreams      int      `json:"agentStreams"`
	AgentDropped      uint64   `json:"agentDropped"`
	AgentCut          uint64   `json:"agentCut"`
	Unheard           uint64   `json:"unheard"`
	KeepaliveFailures uint64   `json:"keepaliveFailures"`
	Delivered         uint64   `json:"delivered"`
	Missing           uint64   `json:"missing"`
	Behind            uint64   `json:"behind"`
	Duplicated        uint64   `json:"duplicated"`
	Reordered         uint64   `json:"reordered"`
	Foreign           uint64   `json:"foreign"`
	Ended             []string `json:"ended"`
	Apart             uint64   `json:"apart"`
	BackNs            int64    `json:"backNs"`
	Samples           uint64   `json:"samples"`
	P50Ns             int64    `json:"p50Ns"`
	P99Ns             int64    `json:"p99Ns"`
	MaxNs             int64    `json:"maxNs"`
}

func (l *loop) count() counters {
	c := counters{
		AtNs: l.now(), CPUNs: cpuNs(), Created: l.created, Late: l.late, MaxLateNs: l.maxLateNs, Sent: l.sent,
		KeepaliveFailures: l.keepaliveFailures, Ended: []string{}, BackNs: l.backNs, Samples: l.latency.samples,
		P50Ns: l.latency.percentile(0.5), P99Ns: l.latency.percentile(0.99), MaxNs: l.latency.max,
	}
	for _, a := range l.agents {
		c.AgentStreams += len(a.streams)
		if len(a.streams) > 0 {
			c.AgentsWatched++
		}
		c.AgentDropped += a.dropped
		c.AgentCut += a.cut
		c.Unheard += a.unheard
	}
	for _, r := range l.readers {
		if r.pace != paceFull {
			c.Apart += r.delivered
			c.Ended = append(c.Ended, r.ended...)
			continue
		}
		c.Delivered += r.delivered
		c.Missing += r.missing
		c.Behind += r.behind()
		c.Duplicated += r.duplicated
		c.Reordered += r.reordered
		c.Foreign += r.foreign
		c.Ended = append(c.Ended, r.ended...)
	}
	return c
}

func addresses(words []string) []netip.AddrPort {
	parsed := make([]netip.AddrPort, len(words))
	for i, word := range words {
		address, err := netip.ParseAddrPort(word)
		must("read an address", err)
		parsed[i] = address
	}
	return parsed
}

func main() {
	runtime.LockOSThread()
	defer func() {
		if failure := recover(); failure != nil {
			known, ok := failure.(fatal)
			if !ok {
				panic(failure)
			}
			fmt.Fprintln(os.Stderr, known.text)
			os.Exit(1)
		}
	}()
	agents := flag.String("agents", "", "addresses to listen on, separated by commas, one an agent")
	message := flag.String("event", "", "the event, in hexadecimal")
	at := flag.Int("at", 0, "offset in the event of 64 digits that are replaced")
	path := flag.String("path", "/feeder.LogService/WatchAlerts", "the method the readers call")
	filter := flag.String("filter", "policy", "the filter of the readers and of those subscribers of the agents that get the events")
	tick := flag.Duration("tick", time.Millisecond, "shortest time between two rounds of making events")
	flag.Parse()

	wire, err := hex.DecodeString(*message)
	must("read the event", err)
	if *at < 0 || *at+idDigits > len(wire) {
		panic(fatal{fmt.Sprintf("Cannot number the event: %d digits at %d do not fit %d bytes", idDigits, *at, len(wire))})
	}
	l := &loop{
		poller: newPoller(), start: time.Now(), input: make([]byte, 1<<20), event: newEvent(wire, *at), path: *path,
		filter:    append([]byte{1<<3 | 2, byte(len(*filter))}, *filter...),
		minTickNs: int64(*tick), agentConns: map[*agentConn]struct{}{},
	}
	for i, address := range addresses(strings.Split(*agents, ",")) {
		l.agents = append(l.agents, newAgent(l, uint32(i), address))
	}
	must("unblock stdin", syscall.SetNonblock(0, true))
	l.poller.add(0, l)
	ready, err := json.Marshal(l.count())
	must("encode an answer", err)
	_, err = os.Stdout.Write(append(ready, '\n'))
	must("say that the agents listen", err)
	l.run()
}
