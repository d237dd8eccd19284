// Calls names as static Go programs do, with Go's own resolver. README.md has the command line.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const limit = 10 * time.Second

type result struct {
	Target    string   `json:"target"`
	Port      int      `json:"port"`
	Host      string   `json:"host,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	Status    int      `json:"status,omitempty"`
	Body      *string  `json:"body,omitempty"`
	Error     string   `json:"error,omitempty"`
}

func main() {
	words := os.Args[1:]
	fromEnvironment := len(words) > 0 && words[0] == "--env"
	if fromEnvironment {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		fmt.Fprintln(os.Stderr, "usage: probe [--env] NAME PORT ...")
		os.Exit(2)
	}
	output := json.NewEncoder(os.Stdout)
	for i := 0; i < len(words); i += 2 {
		found := result{Target: words[i]}
		if err := found.probe(words[i+1], fromEnvironment); err != nil {
			found.Error = err.Error()
		}
		if err := output.Encode(found); err != nil {
			os.Exit(1)
		}
	}
}

func (r *result) probe(port string, fromEnvironment bool) (err error) {
	if r.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	number := port
	if r.Host = r.Target; fromEnvironment {
		if r.Host, number, err = place(r.Target, port); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if r.Addresses, err = net.DefaultResolver.LookupHost(ctx, r.Host); err != nil {
		return err
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(r.Host, number))
	if err != nil {
		return err
	}
	defer connection.Close()
	if err = connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err = fmt.Fprintf(connection, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", r.Host); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	return r.read(string(answer))
}

func (r *result) read(answer string) error {
	head, body, found := strings.Cut(answer, "\r\n\r\n")
	fields := strings.Fields(head)
	if !found || len(fields) < 2 {
		return fmt.Errorf("the answer is not HTTP")
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil {
		return err
	}
	r.Status, r.Body = status, &body
	return nil
}

func place(name, port string) (host, number string, err error) {
	host, known := os.LookupEnv(name + "_SERVICE_HOST")
	if !known {
		return "", "", fmt.Errorf("the variable %s_SERVICE_HOST is not set", name)
	}
	if number, known = os.LookupEnv(name + "_PORT_" + port + "_TCP_PORT"); known {
		return host, number, nil
	}
	if number, known = os.LookupEnv(name + "_SERVICE_PORT"); known {
		return host, number, nil
	}
	return "", "", fmt.Errorf("the variable %s_SERVICE_PORT is not set", name)
}
