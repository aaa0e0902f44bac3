package main

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"
	"unsafe"
)

// epoll_pwait2 has the same number on every architecture; the syscall package does not know it.
const sysEpollPwait2 = 441

// Raw system calls: the program is one thread, so telling Go's scheduler about each of them would be pure cost.

func readFd(fd int, into []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&into[0])), uintptr(len(into)))
	return int(n), errno
}

func writeFd(fd int, from []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&from[0])), uintptr(len(from)))
	return int(n), errno
}

// handler is what a descriptor's readiness is for.
type handler interface{ ready(events uint32) }

type poller struct {
	fd       int
	handlers map[int32]handler
	first    map[int32]bool // of the handlers, those that are served before the others
	events   [256]syscall.EpollEvent
}

func newPoller() *poller {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	must("create an epoll descriptor", err)
	return &poller{fd: fd, handlers: map[int32]handler{}, first: map[int32]bool{}}
}

func (p *poller) add(fd int, h handler) {
	p.handlers[int32(fd)] = h
	must("watch a descriptor", syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}))
}

// addFirst is add for what must not wait for others: whoever reads must not be what slows down who writes.
func (p *poller) addFirst(fd int, h handler) {
	p.first[int32(fd)] = true
	p.add(fd, h)
}

// watchWrites says whether room in the socket's send buffer is of interest, too.
func (p *poller) watchWrites(fd int, on bool) {
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if on {
		event.Events |= syscall.EPOLLOUT
	}
	must("watch a descriptor", syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, fd, &event))
}

func (p *poller) close(fd int) {
	delete(p.handlers, int32(fd))
	delete(p.first, int32(fd))
	_ = syscall.Close(fd) // a failing close leaves nothing to do
}

// wait serves what is ready, after at most timeoutNs.
func (p *poller) wait(timeoutNs int64) {
	timeout := syscall.NsecToTimespec(timeoutNs)
	n, _, errno := syscall.RawSyscall6(sysEpollPwait2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
		uintptr(unsafe.Pointer(&timeout)), 0, 0)
	if errno == syscall.EINTR {
		return
	}
	if errno != 0 {
		must("wait for descriptors (Linux 5.11 or newer is needed)", errno)
	}
	p.serve(int(n), true)
	p.serve(int(n), false)
}

func (p *poller) serve(events int, first bool) {
	for i := range events {
		event := &p.events[i]
		if p.first[event.Fd] != first {
			continue
		}
		// A handler earlier in this round may have closed the descriptor.
		if h, ok := p.handlers[event.Fd]; ok {
			h.ready(event.Events)
		}
	}
}

// openPipe opens a named pipe to read, whether somebody writes to it or not yet.
func openPipe(path string) int {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	must("open "+path, err)
	return fd
}

func socket(address netip.AddrPort) (int, syscall.Sockaddr) {
	domain := syscall.AF_INET
	var peer syscall.Sockaddr = &syscall.SockaddrInet4{Port: int(address.Port()), Addr: as4(address.Addr())}
	if address.Addr().Is6() {
		domain = syscall.AF_INET6
		peer = &syscall.SockaddrInet6{Port: int(address.Port()), Addr: address.Addr().As16()}
	}
	fd, err := syscall.Socket(domain, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must("make a socket", err)
	return fd, peer
}

func as4(address netip.Addr) [4]byte {
	if address.Is4() {
		return address.As4()
	}
	return [4]byte{}
}

func listen(address netip.AddrPort) int {
	fd, self := socket(address)
	must("reuse "+address.String(), syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	must("bind "+address.String(), syscall.Bind(fd, self))
	must("listen on "+address.String(), syscall.Listen(fd, 4096))
	must("unblock "+address.String(), syscall.SetNonblock(fd, true))
	return fd
}

// connect waits for a server that does not listen yet, for 5 s at most.
func connect(address netip.AddrPort) int {
	for attempt := 0; ; attempt++ {
		fd, peer := socket(address)
		err := syscall.Connect(fd, peer)
		if err == syscall.ECONNREFUSED && attempt < 100 {
			must("close a socket", syscall.Close(fd))
			time.Sleep(50 * time.Millisecond)
			continue
		}
		must("connect to "+address.String(), err)
		setUp(fd)
		return fd
	}
}

// setUp gives a connected socket what Go's own sockets have.
func setUp(fd int) {
	must("set TCP_NODELAY", syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1))
	must("unblock a socket", syscall.SetNonblock(fd, true))
}

// cpuNs is the CPU time this process has used.
func cpuNs() int64 {
	var usage syscall.Rusage
	must("read resource usage", syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

type fatal struct{ text string }

// must ends the program: a load that is not what was asked for must not be measured.
func must(action string, err error) {
	if err != nil {
		panic(fatal{fmt.Sprintf("Cannot %s: %v", action, err)})
	}
}
