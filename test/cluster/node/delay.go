package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// queueLimit is how many bytes may be on their way in one direction of one connection; more waits with the sender, as
// with a TCP window. At a round-trip time of 80 ms it allows 3 Gbit/s.
const queueLimit = 16 << 20

const chunkSize = 64 << 10

var chunks = sync.Pool{New: func() any { buffer := make([]byte, chunkSize); return &buffer }}

// piece is what arrives on the other side at a time: bytes, or the end of the stream.
type piece struct {
	due    time.Time
	buffer *[]byte
	length int
	end    error
}

// delayLine carries one direction of a connection, each byte later by the road's one-way delay at the time it came.
type delayLine struct {
	destination *net.TCPConn
	valve       *valve
	delay       *atomic.Int64

	mutex   sync.Mutex
	changed *sync.Cond
	pieces  []piece
	// pending counts the bytes and ends taken in and not yet written.
	pending int
	failed  bool
}

func newDelayLine(destination *net.TCPConn, valve *valve, delay *atomic.Int64) *delayLine {
	line := &delayLine{destination: destination, valve: valve, delay: delay}
	line.changed = sync.NewCond(&line.mutex)
	return line
}

// carry copies all that comes from the source, and its end: a half-close as a half-close, a reset as a reset.
func (line *delayLine) carry(source *net.TCPConn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		line.deliver()
	}()
	for {
		buffer := chunks.Get().(*[]byte)
		length, err := source.Read(*buffer)
		if length > 0 && !line.take(buffer, length) {
			reset(source)
			break
		}
		if err != nil {
			line.push(piece{due: line.due(), end: err})
			break
		}
	}
	<-done
}

func (line *delayLine) due() time.Time {
	return time.Now().Add(time.Duration(line.delay.Load()))
}

// take takes in bytes; false if the destination is gone.
func (line *delayLine) take(buffer *[]byte, length int) bool {
	if line.delay.Load() == 0 && line.idle() && line.valve.isOpen() {
		// The short way, without a change of goroutine; nothing is under way that these bytes could overtake.
		_, err := line.destination.Write((*buffer)[:length])
		chunks.Put(buffer)
		if err != nil {
			line.push(piece{end: err})
			return false
		}
		return true
	}
	return line.push(piece{due: line.due(), buffer: buffer, length: length})
}

func (line *delayLine) idle() bool {
	line.mutex.Lock()
	defer line.mutex.Unlock()
	return line.pending == 0
}

func (line *delayLine) push(p piece) bool {
	line.mutex.Lock()
	defer line.mutex.Unlock()
	for line.pending > queueLimit && !line.failed {
		line.changed.Wait()
	}
	line.pieces = append(line.pieces, p)
	line.pending += p.length + 1
	line.changed.Broadcast()
	return !line.failed
}

func (line *delayLine) pop() piece {
	line.mutex.Lock()
	defer line.mutex.Unlock()
	for len(line.pieces) == 0 {
		line.changed.Wait()
	}
	first := line.pieces[0]
	line.pieces = line.pieces[1:]
	return first
}

func (line *delayLine) written(p piece, failed bool) {
	line.mutex.Lock()
	defer line.mutex.Unlock()
	line.pending -= p.length + 1
	line.failed = line.failed || failed
	line.changed.Broadcast()
}

// deliver writes each piece when it is due and the road is open, until the end of the stream.
func (line *delayLine) deliver() {
	failed := false
	for {
		p := line.pop()
		sleepUntil(p.due)
		line.valve.wait()
		if p.end != nil {
			if errors.Is(p.end, io.EOF) {
				_ = line.destination.CloseWrite()
			} else {
				reset(line.destination)
			}
			return
		}
		if !failed {
			_, err := line.destination.Write((*p.buffer)[:p.length])
			failed = err != nil
		}
		chunks.Put(p.buffer)
		line.written(p, failed)
	}
}

// sleepUntil is exact to a tenth of a millisecond; the timers of Go's runtime are late by up to one.
func sleepUntil(due time.Time) {
	for {
		left := time.Until(due)
		if left <= 0 {
			return
		}
		request := unix.NsecToTimespec(left.Nanoseconds())
		_ = unix.Nanosleep(&request, nil)
	}
}

// reset ends a connection at once, so that its other end sees a reset rather than an end of file.
func reset(connection *net.TCPConn) {
	_ = connection.SetLinger(0)
	_ = connection.Close()
}
