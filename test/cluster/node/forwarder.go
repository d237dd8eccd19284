package main

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// valve is open, or cut: then whoever waits on it waits until it opens.
type valve struct {
	mutex  sync.Mutex
	opened chan struct{}
}

func newValve() *valve {
	v := &valve{opened: make(chan struct{})}
	close(v.opened)
	return v
}

func (v *valve) isOpen() bool {
	select {
	case <-v.channel():
		return true
	default:
		return false
	}
}

func (v *valve) wait() { <-v.channel() }

func (v *valve) channel() chan struct{} {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.opened
}

func (v *valve) cut() {
	if v.isOpen() {
		v.mutex.Lock()
		v.opened = make(chan struct{})
		v.mutex.Unlock()
	}
}

func (v *valve) open() {
	if !v.isOpen() {
		close(v.channel())
	}
}

// forwarder is the road: it listens on the workstation's loopback and dials the API server inside the cluster's network
// namespace. It can be long (a delay on each way) and it can be cut.
type forwarder struct {
	listener net.Listener
	dialer   *namespaceDialer
	valve    *valve
	// delay is one way, in ns.
	delay atomic.Int64

	mutex sync.Mutex
	// cutUntil and resetting describe the present cut; restoring ends it.
	cutState    string
	cutUntil    time.Time
	restoring   *time.Timer
	connections map[*net.TCPConn]struct{}
	accepted    uint64
}

const (
	roadOpen   = "open"
	roadFrozen = "frozen"
	roadReset  = "reset"
)

func newForwarder(listener net.Listener, dialer *namespaceDialer) *forwarder {
	return &forwarder{
		listener:    listener,
		dialer:      dialer,
		valve:       newValve(),
		cutState:    roadOpen,
		connections: map[*net.TCPConn]struct{}{},
	}
}

// serve accepts until the listener is closed.
func (f *forwarder) serve() error {
	for {
		accepted, err := f.listener.Accept()
		if err != nil {
			return err
		}
		if client, ok := accepted.(*net.TCPConn); ok {
			go f.forward(client)
		}
	}
}

func (f *forwarder) forward(client *net.TCPConn) {
	if !f.register(client) {
		reset(client)
		return
	}
	defer f.unregister(client)
	// The kernel has accepted already, without delay. What TCP's handshake would have cost is waited for here.
	sleepUntil(time.Now().Add(2 * time.Duration(f.delay.Load())))
	f.valve.wait()
	cluster, err := f.dialer.dial()
	if err != nil {
		reset(client)
		return
	}
	if !f.register(cluster) {
		reset(client)
		reset(cluster)
		return
	}
	defer f.unregister(cluster)
	var group sync.WaitGroup
	group.Go(func() { newDelayLine(cluster, f.valve, &f.delay).carry(client) })
	group.Go(func() { newDelayLine(client, f.valve, &f.delay).carry(cluster) })
	group.Wait()
	_ = client.Close()
	_ = cluster.Close()
}

// register is false while connections are being reset.
func (f *forwarder) register(connection *net.TCPConn) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.cutState == roadReset {
		return false
	}
	f.connections[connection] = struct{}{}
	f.accepted++
	return true
}

func (f *forwarder) unregister(connection *net.TCPConn) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.connections, connection)
}

// setRoundTripTime puts half on each way, for bytes that come from now on.
func (f *forwarder) setRoundTripTime(time time.Duration) { f.delay.Store(int64(time / 2)) }

// cut cuts the road for a time, 0 for until it is restored. Frozen, no byte passes either way and no end of a
// connection; reset, existing connections are reset and so are new ones.
func (f *forwarder) cut(duration time.Duration, resetting bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.stopTimer()
	f.cutUntil = time.Time{}
	if duration > 0 {
		f.cutUntil = time.Now().Add(duration)
		f.restoring = time.AfterFunc(duration, f.restoreIfDue)
	}
	if resetting {
		f.cutState = roadReset
		for connection := range f.connections {
			reset(connection)
		}
		// What waited in a freeze before is to end now.
		f.valve.open()
		return
	}
	f.cutState = roadFrozen
	f.valve.cut()
}

func (f *forwarder) restore() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.open()
}

func (f *forwarder) restoreIfDue() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	// A later cut has its own end.
	if !f.cutUntil.IsZero() && !time.Now().Before(f.cutUntil) {
		f.open()
	}
}

func (f *forwarder) open() {
	f.stopTimer()
	f.cutState, f.cutUntil = roadOpen, time.Time{}
	f.valve.open()
}

func (f *forwarder) stopTimer() {
	if f.restoring != nil {
		f.restoring.Stop()
		f.restoring = nil
	}
}

// roadStatus is the forwarder's part of `status`.
type roadStatus struct {
	// State is one of "open", "frozen", "reset".
	State string `json:"state"`
	// RestoredIn is the time left of the cut in ms, 0 if it has no end of its own.
	RestoredIn    int64   `json:"restoredIn"`
	RoundTripTime float64 `json:"roundTripTime"`
	Connections   int     `json:"connections"`
}

func (f *forwarder) status() roadStatus {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	status := roadStatus{
		State:         f.cutState,
		RoundTripTime: 2 * float64(f.delay.Load()) / float64(time.Millisecond),
		Connections:   len(f.connections) / 2,
	}
	if !f.cutUntil.IsZero() {
		status.RestoredIn = time.Until(f.cutUntil).Milliseconds()
	}
	return status
}

// namespaceDialer dials the API server from inside the cluster's network namespace, in a thread that stays there.
type namespaceDialer struct{ requests chan chan<- dialed }

type dialed struct {
	connection *net.TCPConn
	err        error
}

// enterNetwork makes a dialer in the network namespace of a process.
func enterNetwork(pid int) (*namespaceDialer, error) {
	descriptor, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	dialer := &namespaceDialer{requests: make(chan chan<- dialed)}
	entered := make(chan error)
	go func() {
		// Never unlocked: no other goroutine may run in a thread of the wrong network.
		runtime.LockOSThread()
		err := unix.Setns(descriptor, unix.CLONE_NEWNET)
		unix.Close(descriptor)
		entered <- err
		if err != nil {
			return
		}
		address := net.TCPAddrFromAddrPort(apiAddrPort)
		for answer := range dialer.requests {
			connection, err := net.DialTCP("tcp4", nil, address)
			answer <- dialed{connection, err}
		}
	}()
	return dialer, <-entered
}

func (dialer *namespaceDialer) dial() (*net.TCPConn, error) {
	answer := make(chan dialed, 1)
	dialer.requests <- answer
	result := <-answer
	return result.connection, result.err
}
