package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// componentStatus is what `status` shows of a component.
type componentStatus struct {
	Name string `json:"name"`
	// Pid is that inside the cluster's namespaces; the road adds the one that the workstation sees.
	Pid        int `json:"pid"`
	OutsidePid int `json:"outsidePid"`
	// State is one of "waiting", "running", "ended".
	State string `json:"state"`
	// Ended tells how it ended.
	Ended string `json:"ended"`
	// Unwell is the reason why a running component does not serve; filled by a check only.
	Unwell string `json:"unwell"`
}

// supervisor starts the components and notices their end. By itself it does not start them again: a cluster that lost a
// component is replaced as a whole, so that no test runs on a cluster that heals itself behind its back.
type supervisor struct {
	mutex    sync.Mutex
	statuses map[string]*componentStatus
	all      []component
}

func newSupervisor(all []component) *supervisor {
	s := &supervisor{statuses: map[string]*componentStatus{}, all: all}
	for _, c := range all {
		s.statuses[c.name] = &componentStatus{Name: c.name, State: "waiting"}
	}
	return s
}

// reap waits for every child, those too that containers leave to process 1. It never returns.
func (s *supervisor) reap() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	for range children {
		for {
			var status unix.WaitStatus
			// Held over the start of a component, so that its end is not seen before its number is known.
			s.mutex.Lock()
			pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
			if err == nil && pid > 0 {
				s.ended(pid, status)
			}
			s.mutex.Unlock()
			if err != nil && !errors.Is(err, unix.EINTR) || err == nil && pid == 0 {
				break
			}
		}
	}
}

func (s *supervisor) ended(pid int, status unix.WaitStatus) {
	for _, c := range s.statuses {
		if c.Pid == pid && c.State == "running" {
			c.State = "ended"
			if status.Signaled() {
				c.Ended = "by signal " + unix.SignalName(status.Signal())
			} else {
				c.Ended = fmt.Sprintf("with exit code %d", status.ExitStatus())
			}
			report("%s ended %s", c.Name, c.Ended)
		}
	}
}

func (s *supervisor) start(name string) error {
	for _, c := range s.all {
		if c.name == name {
			return s.startComponent(c, os.O_TRUNC)
		}
	}
	return fmt.Errorf("no component %q", name)
}

// killBudget is how long the end of a component that was just killed may take to be seen.
const killBudget = 5 * time.Second

// restart starts a component that has ended. Its log goes on, so that what ended it can be read. Requests come one at a
// time for each component.
func (s *supervisor) restart(ctx context.Context, name string) error {
	for _, c := range s.all {
		if c.name != name {
			continue
		}
		killed, cancel := context.WithTimeout(ctx, killBudget)
		defer cancel()
		err := await(killed, func(context.Context) error {
			if state := s.status(name).State; state != "ended" {
				return fmt.Errorf("%s is %s", name, state)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("only a component that has ended is started again: %w", err)
		}
		return s.startComponent(c, os.O_APPEND)
	}
	return fmt.Errorf("no component %q", name)
}

// startComponent starts it; mode says what becomes of the log of before.
func (s *supervisor) startComponent(c component, mode int) error {
	program := filepath.Join(insidePrograms, c.name)
	if c.program != "" {
		found, err := findProgram(c.program)
		if err != nil {
			return err
		}
		program = found
	}
	output, err := os.OpenFile(insideFolder.log(c.name), os.O_CREATE|os.O_WRONLY|mode, 0o644)
	if err != nil {
		return err
	}
	defer output.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()

	s.mutex.Lock()
	defer s.mutex.Unlock()
	process, err := os.StartProcess(program, append([]string{c.name}, c.arguments...), &os.ProcAttr{
		Dir:   "/",
		Env:   []string{"PATH=" + programPath, "HOME=/var/tmp"},
		Files: []*os.File{null, output, output},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", c.name, err)
	}
	status := s.statuses[c.name]
	status.Pid, status.State, status.Ended = process.Pid, "running", ""
	// Its end is seen by reap.
	return process.Release()
}

// programPath is where the components find containerd's shim, runc, nft, mount and the like.
const programPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func findProgram(name string) (string, error) {
	for _, directory := range filepath.SplitList(programPath) {
		path := filepath.Join(directory, name)
		if unix.Access(path, unix.X_OK) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}

// await waits until a started component serves; its end ends the wait.
func (s *supervisor) await(ctx context.Context, name string) error {
	for _, c := range s.all {
		if c.name != name {
			continue
		}
		return await(ctx, func(ctx context.Context) error {
			if status := s.status(name); status.State == "ended" {
				return nil
			}
			return c.ready(ctx)
		})
	}
	return fmt.Errorf("no component %q", name)
}

func (s *supervisor) status(name string) componentStatus {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return *s.statuses[name]
}

// list is the status of all components; with a check each running one is asked, for at most the given time.
func (s *supervisor) list(checked bool, budget time.Duration) []componentStatus {
	result := make([]componentStatus, len(s.all))
	var group sync.WaitGroup
	for i, c := range s.all {
		result[i] = s.status(c.name)
		if !checked || result[i].State != "running" {
			continue
		}
		group.Add(1)
		go func() {
			defer group.Done()
			ctx, cancel := context.WithTimeout(context.Background(), budget)
			defer cancel()
			if err := c.ready(ctx); err != nil {
				result[i].Unwell = err.Error()
			}
		}()
	}
	group.Wait()
	return result
}

// report writes a line to the log of this process.
func report(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, values...))
}
