package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// request is one line of JSON on a control socket; the answer is one line of JSON: {"result": …} or {"error": "…"}.
// One connection carries one request.
type request struct {
	// Do is one of: status, rtt, cut, restore, restart, stop.
	Do string `json:"do"`
	// Check (status): ask every component whether it serves.
	Check bool `json:"check,omitempty"`
	// Milliseconds (rtt): the round-trip time; (cut): how long, 0 for until restore.
	Milliseconds float64 `json:"milliseconds,omitempty"`
	// Reset (cut): reset the connections rather than freeze them.
	Reset bool `json:"reset,omitempty"`
	// Component (restart): the component that has ended and is to be started again.
	Component string `json:"component,omitempty"`
}

type reply struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

type controlServer struct{ listener net.Listener }

// maximalSocketPath is the kernel's limit (sun_path, with the closing zero).
const maximalSocketPath = 107

// listenControl listens on a Unix socket for its owner only. A socket of that path left by a killed process is replaced.
func listenControl(path string) (*controlServer, error) {
	if len(path) > maximalSocketPath {
		return nil, fmt.Errorf("the path %s is too long for a Unix socket; set XDG_CACHE_HOME to a shorter folder", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// Made under another name first: it appears only when it listens and is closed to others.
	temporary := path + "~"
	_ = os.Remove(temporary)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(temporary, 0o600), os.Rename(temporary, path)); err != nil {
		return nil, err
	}
	return &controlServer{listener: listener}, nil
}

// serve answers until the listener fails.
func (server *controlServer) serve(answer func(request) (any, error)) error {
	for {
		connection, err := server.listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			var r request
			line, err := bufio.NewReader(connection).ReadBytes('\n')
			if err == nil {
				err = json.Unmarshal(line, &r)
			}
			var result any
			if err == nil {
				result, err = answer(r)
			}
			_ = json.NewEncoder(connection).Encode(encodeReply(result, err))
		}()
	}
}

func encodeReply(result any, err error) reply {
	if err == nil {
		var data []byte
		if data, err = json.Marshal(result); err == nil {
			return reply{Result: data}
		}
	}
	return reply{Error: err.Error()}
}

// ask sends one request to a control socket.
func ask(path string, r request, budget time.Duration, result any) error {
	connection, err := net.DialTimeout("unix", path, budget)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(budget)); err != nil {
		return err
	}
	if err := json.NewEncoder(connection).Encode(r); err != nil {
		return err
	}
	var answer reply
	if err := json.NewDecoder(connection).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return json.Unmarshal(answer.Result, result)
}
