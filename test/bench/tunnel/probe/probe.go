// Probe is the server and the client of the tunnel's benchmark: the same program in a pod and on the workstation, so that
// all ways are measured by the same means. A client's results are lines of JSON.
//
//	probe serve PORT
//	probe connections ADDRESS COUNT                        new connections in turn, each until its first byte is back
//	probe transfer ADDRESS download|upload STREAMS BYTES   so many streams at once, so many bytes each
//	probe beside ADDRESS download|upload COUNT             new connections in turn beside a transfer that does not end
//	probe idle ADDRESS                                     each line of standard input is how many shall be open; its end closes all
//
// The first byte of a connection says what the server does with it: 'E' sends all that follows back, 'D' and 'U' begin a transfer
// of as many bytes as the next 8 bytes say, 'G' begins an HTTP/1.1 request. The server sends a byte when it is ready for a transfer;
// a download begins when the client sends one too, an upload ends when the server sends another. So the time to open connections is
// no part of a transfer's.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[0] == "serve":
		return serve(arguments[1])
	case len(arguments) == 3 && arguments[0] == "connections":
		return connections(arguments[1], arguments[2])
	case len(arguments) == 5 && arguments[0] == "transfer":
		return transfer(arguments[1], arguments[2], arguments[3], arguments[4])
	case len(arguments) == 4 && arguments[0] == "beside":
		return beside(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 2 && arguments[0] == "idle":
		return idle(arguments[1])
	}
	return errors.New("the first comment of probe.go says how it is used")
}

// chunk is large enough that neither end of a transfer is what limits it.
const chunk = 256 << 10

// patience is for what hangs, not for what is slow.
const patience = 60 * time.Second

func say(result any) error { return json.NewEncoder(os.Stdout).Encode(result) }

// ---- the server

func serve(port string) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	_, listening, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(listening)
	if err != nil {
		return err
	}
	if err := say(map[string]int{"port": number}); err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			// How a client leaves is its own affair: it reports what went wrong.
			_ = attend(connection)
		}()
	}
}

func attend(connection net.Conn) error {
	var what [1]byte
	if _, err := io.ReadFull(connection, what[:]); err != nil {
		return err
	}
	switch what[0] {
	case 'E':
		return echo(connection)
	case 'D', 'U':
		return serveTransfer(connection, what)
	case 'G':
		return answerRequests(connection)
	}
	return fmt.Errorf("unknown request %q", what[0])
}

func serveTransfer(connection net.Conn, what [1]byte) error {
	var header [8]byte
	if _, err := io.ReadFull(connection, header[:]); err != nil {
		return err
	}
	count := binary.BigEndian.Uint64(header[:])
	if _, err := connection.Write(what[:]); err != nil {
		return err
	}
	if what[0] == 'D' {
		if _, err := io.ReadFull(connection, what[:]); err != nil {
			return err
		}
		return send(connection, count, nil)
	}
	if err := receive(connection, count, nil); err != nil {
		return err
	}
	_, err := connection.Write(what[:])
	return err
}

func echo(connection net.Conn) error {
	buffer := make([]byte, 1024)
	for {
		count, err := connection.Read(buffer)
		if err != nil {
			return err
		}
		if _, err := connection.Write(buffer[:count]); err != nil {
			return err
		}
	}
}

var answer = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nHello world\n")

func answerRequests(connection net.Conn) error {
	reader := bufio.NewReader(connection)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) > 2 {
			continue
		}
		if _, err := connection.Write(answer); err != nil {
			return err
		}
	}
}

// content is the same in every transfer; its bytes are as good as random, so nothing on the way can make them fewer.
var content = sync.OnceValue(func() []byte {
	bytes := make([]byte, chunk)
	rand.New(rand.NewSource(1)).Read(bytes)
	return bytes
})

// send writes so many bytes and counts them in moved, if there is one, as they go.
func send(connection net.Conn, count uint64, moved *atomic.Uint64) error {
	for count > 0 {
		written, err := connection.Write(content()[:min(count, chunk)])
		count -= uint64(written)
		if moved != nil {
			moved.Add(uint64(written))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// receive reads so many bytes and counts them in moved, if there is one, as they come.
func receive(connection net.Conn, count uint64, moved *atomic.Uint64) error {
	buffer := make([]byte, chunk)
	for count > 0 {
		read, err := connection.Read(buffer[:min(count, chunk)])
		count -= uint64(read)
		if moved != nil {
			moved.Add(uint64(read))
		}
		if err != nil && count > 0 {
			return err
		}
	}
	return nil
}

// ---- the clients

func connections(address, text string) error {
	count, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	times := make([]float64, 0, count)
	for range count {
		milliseconds, err := firstByte(address)
		if err != nil {
			return err
		}
		times = append(times, milliseconds)
	}
	return say(map[string]any{"milliseconds": times})
}

// firstByte is the time from dialling to the echo of one byte.
func firstByte(address string) (float64, error) {
	began := time.Now()
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(began.Add(patience)); err != nil {
		return 0, err
	}
	if _, err := connection.Write([]byte("Ex")); err != nil {
		return 0, err
	}
	var back [1]byte
	if _, err := io.ReadFull(connection, back[:]); err != nil {
		return 0, err
	}
	return float64(time.Since(began).Nanoseconds()) / 1e6, nil
}

func transfer(address, direction, streamsText, bytesText string) error {
	streams, err := strconv.Atoi(streamsText)
	if err != nil {
		return err
	}
	bytes, err := strconv.ParseUint(bytesText, 10, 64)
	if err != nil {
		return err
	}
	content()
	var ready []net.Conn
	for len(ready) < streams {
		more, err := openAtOnce(min(dialsAtOnce, streams-len(ready)), func() (net.Conn, error) {
			return prepare(address, direction, bytes)
		})
		if err != nil {
			return err
		}
		ready = append(ready, more...)
	}
	began := time.Now()
	failures := make(chan error, streams)
	for _, connection := range ready {
		go func() { failures <- move(connection, direction, bytes, nil) }()
	}
	for range streams {
		err = errors.Join(err, <-failures)
	}
	if err != nil {
		return err
	}
	return say(map[string]any{"seconds": time.Since(began).Seconds()})
}

// prepare opens a connection for a transfer and waits until the server is ready.
func prepare(address, direction string, bytes uint64) (net.Conn, error) {
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	what := byte('D')
	if direction == "upload" {
		what = 'U'
	}
	if _, err := connection.Write(binary.BigEndian.AppendUint64([]byte{what}, bytes)); err != nil {
		return nil, err
	}
	var ready [1]byte
	_, err = io.ReadFull(connection, ready[:])
	return connection, err
}

// move makes one transfer, on a connection that was prepared for it.
func move(connection net.Conn, direction string, bytes uint64, moved *atomic.Uint64) error {
	defer connection.Close()
	var one [1]byte
	if direction == "download" {
		if _, err := connection.Write(one[:]); err != nil {
			return err
		}
		return receive(connection, bytes, moved)
	}
	if err := send(connection, bytes, moved); err != nil {
		return err
	}
	_, err := io.ReadFull(connection, one[:])
	return err
}

// endless is more than any transfer beside which something is measured moves.
const endless = 1 << 50

// settled is what a transfer has moved when buffers on its way are as full as they get.
const settled = 32 << 20

func beside(address, direction, text string) error {
	count, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	connection, err := prepare(address, direction, endless)
	if err != nil {
		return err
	}
	var moved atomic.Uint64
	failed := make(chan error, 1)
	go func() { failed <- move(connection, direction, endless, &moved) }()
	for moved.Load() < settled {
		select {
		case err := <-failed:
			return err
		case <-time.After(time.Millisecond):
		}
	}
	began, before := time.Now(), moved.Load()
	times := make([]float64, 0, count)
	for range count {
		milliseconds, err := firstByte(address)
		if err != nil {
			return err
		}
		times = append(times, milliseconds)
	}
	select {
	case err := <-failed:
		return err
	default:
	}
	seconds := time.Since(began).Seconds()
	return say(map[string]any{"milliseconds": times, "bytesPerSecond": float64(moved.Load()-before) / seconds})
}

// dialsAtOnce keeps the opening of many connections below what listeners keep waiting.
const dialsAtOnce = 32

func idle(address string) error {
	var open []net.Conn
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		wanted, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		for len(open) < wanted {
			more, err := openAtOnce(min(dialsAtOnce, wanted-len(open)), func() (net.Conn, error) { return openIdle(address) })
			if err != nil {
				return err
			}
			open = append(open, more...)
		}
		if err := say(map[string]int{"open": len(open)}); err != nil {
			return err
		}
	}
	for _, connection := range open {
		connection.Close()
	}
	return lines.Err()
}

// openIdle opens a connection and sees it work, end to end.
func openIdle(address string) (net.Conn, error) {
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	if _, err := connection.Write([]byte("Ex")); err != nil {
		return nil, err
	}
	var back [1]byte
	_, err = io.ReadFull(connection, back[:])
	return connection, err
}

// openAtOnce opens so many connections at the same time. If one of them fails, the program is about to end.
func openAtOnce(count int, open func() (net.Conn, error)) ([]net.Conn, error) {
	type result struct {
		connection net.Conn
		err        error
	}
	results := make(chan result, count)
	for range count {
		go func() {
			connection, err := open()
			results <- result{connection, err}
		}()
	}
	var opened []net.Conn
	var err error
	for range count {
		one := <-results
		err = errors.Join(err, one.err)
		opened = append(opened, one.connection)
	}
	return opened, err
}
