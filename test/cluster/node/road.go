package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exitHeld says that another road of the same cluster runs.
const exitHeld = 3

// fullStatus is the answer to `status`.
type fullStatus struct {
	Name    string     `json:"name"`
	Pid     int        `json:"pid"`
	Since   time.Time  `json:"since"`
	Port    int        `json:"port"`
	Version string     `json:"version"`
	Binary  string     `json:"binary"`
	Road    roadStatus `json:"road"`
	NodePid int        `json:"nodePid"`
	Node    nodeStatus `json:"node"`
}

// road is the top process of a cluster. Its end, however it comes, is the end of everything else.
type road struct {
	name      string
	binary    string
	folder    folder
	owner     string
	since     time.Time
	port      int
	forwarder *forwarder
	node      *exec.Cmd
	// stop is called by the first who asks for the end.
	stop    func()
	stopped <-chan struct{}
}

// runRoad runs a cluster until it is stopped or killed.
func runRoad(arguments []string) error {
	flags := flag.NewFlagSet("road", flag.ExitOnError)
	name := flags.String("name", "", "name of the cluster")
	path := flags.String("folder", "", "folder of the cluster")
	delay := flags.Float64("rtt", 0, "round-trip time of the road in ms")
	owner := flags.String("owner", "", "UID:GID of the user who may use the cluster")
	clean := flags.Bool("clean", false, "only remove what a killed cluster has left")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *name == "" || !filepath.IsAbs(*path) {
		return errors.New("road: --name and an absolute --folder are needed")
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	r := &road{binary: binary, name: *name, folder: folder(*path), owner: *owner, since: time.Now()}
	stopped := make(chan struct{})
	r.stop, r.stopped = sync.OnceFunc(func() { close(stopped) }), stopped
	if err := os.MkdirAll(*path, 0o700); err != nil {
		return err
	}
	lock, err := r.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := r.removeLeftovers(); err != nil || *clean {
		return err
	}
	return r.run(time.Duration(*delay * float64(time.Millisecond)))
}

// lock makes sure that a cluster has one road; the kernel lets go of the lock when this process ends.
func (r *road) lock() (*os.File, error) {
	file, err := os.OpenFile(r.folder.lockFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		fmt.Fprintf(os.Stderr, "the cluster %q runs already\n", r.name)
		os.Exit(exitHeld)
	}
	return file, nil
}

// removeLeftovers removes what a killed run has left; what it mounted and its interfaces went with its namespaces.
// Keys, the port and the images stay.
func (r *road) removeLeftovers() error {
	err := removeCgroups(r.name)
	for _, path := range []string{r.folder.path("var"), r.folder.path("configuration"), r.folder.controlSocket(), r.folder.nodeSocket()} {
		err = errors.Join(err, removeAll(path))
	}
	return err
}

// removeAll tries again for a while: processes of a cluster that was killed just now may still be writing there.
func removeAll(path string) error {
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := os.RemoveAll(path)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (r *road) run(roundTripTime time.Duration) error {
	// The parent-death signal comes when the *thread* ends that made the child, so this one must last.
	runtime.LockOSThread()
	listener, err := r.listen()
	if err != nil {
		return err
	}
	if err := r.prepareFolder(); err != nil {
		return err
	}
	if err := prepareCgroups(r.name); err != nil {
		return err
	}
	lifelineEnd, err := r.startNode()
	if err != nil {
		return err
	}
	defer lifelineEnd.Close()
	dialer, err := enterNetwork(r.node.Process.Pid)
	if err != nil {
		return errors.Join(fmt.Errorf("entering the cluster's network: %w", err), r.end())
	}
	r.forwarder = newForwarder(listener, dialer)
	r.forwarder.setRoundTripTime(roundTripTime)
	go func() { report("forwarding ended: %v", r.forwarder.serve()) }()

	control, err := listenControl(r.folder.controlSocket())
	if err != nil {
		return errors.Join(err, r.end())
	}
	if err := r.giveToOwner(r.folder.controlSocket()); err != nil {
		return errors.Join(err, r.end())
	}
	go func() { report("control ended: %v", control.serve(r.answer)) }()
	report("cluster %q: pid %d, port %d", r.name, os.Getpid(), r.port)

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT)
	ended := make(chan error, 1)
	go func() { ended <- r.node.Wait() }()
	select {
	case err := <-ended:
		return errors.Join(fmt.Errorf("the node ended: %w; see %s", err, r.folder.log("node")), r.removeLeftovers())
	case <-signals:
	case <-r.stopped:
	}
	// Killing process 1 of a process namespace kills all others in it; the wait ends when the last is gone.
	_ = r.node.Process.Kill()
	<-ended
	return r.removeLeftovers()
}

// end kills the node before it is served.
func (r *road) end() error {
	_ = r.node.Process.Kill()
	_ = r.node.Wait()
	return r.removeLeftovers()
}

// listen takes the port of the last time, or a free one. The port is remembered, so that a kubeconfig stays good.
func (r *road) listen() (net.Listener, error) {
	remembered := 0
	if data, err := os.ReadFile(r.folder.portFile()); err == nil {
		remembered, _ = strconv.Atoi(strings.TrimSpace(string(data)))
	}
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", remembered))
	if err != nil {
		if listener, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		r.port = address.Port
	}
	return listener, os.WriteFile(r.folder.portFile(), []byte(strconv.Itoa(r.port)+"\n"), 0o644)
}

func (r *road) prepareFolder() error {
	for _, name := range []string{"log", "var", "configuration/network.d", "containerd", "users"} {
		if err := os.MkdirAll(r.folder.path(name), 0o700); err != nil {
			return err
		}
	}
	// Processes of pods may have other users, and reach their volumes through here.
	for _, name := range []string{"var", "containerd"} {
		if err := os.Chmod(r.folder.path(name), 0o711); err != nil {
			return err
		}
	}
	if err := ensurePKI(r.folder); err != nil {
		return err
	}
	// For whoever has to end this cluster when it does not answer any more.
	if err := os.WriteFile(r.folder.path("program"), []byte(r.binary), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(r.folder.path("pid"), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return err
	}
	server := fmt.Sprintf("https://127.0.0.1:%d", r.port)
	if err := writeComponentKubeconfig(r.folder, r.folder.kubeconfig(), r.name, server, "admin"); err != nil {
		return err
	}
	paths := []string{"", "kubeconfig", "users", "pki", "pki/ca.crt", "pki/ca.key"}
	for _, path := range paths {
		if err := r.giveToOwner(r.folder.path(path)); err != nil {
			return err
		}
	}
	return nil
}

// giveToOwner lets the user who asked for the cluster use a file that root made.
func (r *road) giveToOwner(path string) error {
	if r.owner == "" {
		return nil
	}
	user, group, found := strings.Cut(r.owner, ":")
	uid, err := strconv.Atoi(user)
	if err != nil || !found {
		return fmt.Errorf("--owner %q is not UID:GID", r.owner)
	}
	gid, err := strconv.Atoi(group)
	if err != nil {
		return fmt.Errorf("--owner %q is not UID:GID", r.owner)
	}
	return os.Chown(path, uid, gid)
}

// startNode starts process 1 of the cluster's own namespaces. It dies with this process, by the parent-death signal and
// by the end of the lifeline, whose writing end is returned.
func (r *road) startNode() (*os.File, error) {
	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer reading.Close()
	output, err := os.OpenFile(r.folder.log("node"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	r.node = &exec.Cmd{
		Path:        r.binary,
		Args:        []string{programName, "node", "--name", r.name, "--folder", string(r.folder)},
		Env:         []string{"PATH=" + programPath},
		Dir:         "/",
		Stdout:      output,
		Stderr:      output,
		ExtraFiles:  []*os.File{reading},
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: cloneFlags, Pdeathsig: syscall.SIGKILL},
	}
	if err := r.node.Start(); err != nil {
		writing.Close()
		return nil, fmt.Errorf("starting the node (root is needed): %w", err)
	}
	return writing, nil
}

func (r *road) answer(request request) (any, error) {
	switch request.Do {
	case "status":
		return r.status(request)
	case "rtt":
		if request.Milliseconds < 0 {
			return nil, errors.New("a round-trip time cannot be negative")
		}
		r.forwarder.setRoundTripTime(time.Duration(request.Milliseconds * float64(time.Millisecond)))
	case "cut":
		r.forwarder.cut(time.Duration(request.Milliseconds*float64(time.Millisecond)), request.Reset)
	case "restore":
		r.forwarder.restore()
	case "restart":
		return struct{}{}, ask(r.folder.nodeSocket(), request, restartBudget, &struct{}{})
	case "stop":
		r.stop()
		return struct{}{}, nil
	default:
		return nil, fmt.Errorf("the road knows no %q", request.Do)
	}
	return r.forwarder.status(), nil
}

func (r *road) status(request request) (fullStatus, error) {
	status := fullStatus{
		Name:    r.name,
		Pid:     os.Getpid(),
		Since:   r.since,
		Port:    r.port,
		Version: kubernetesVersion(),
		Binary:  r.binary,
		Road:    r.forwarder.status(),
		NodePid: r.node.Process.Pid,
		Node:    nodeStatus{Phase: "namespaces", Components: []componentStatus{}, Steps: map[string]int64{}},
	}
	err := ask(r.folder.nodeSocket(), request, checkBudget+2*time.Second, &status.Node)
	if errors.Is(err, os.ErrNotExist) {
		return status, nil // It is still on its way there.
	}
	if err != nil {
		status.Node.Phase, status.Node.Failure = "failed", "the node does not answer: "+err.Error()
	}
	addOutsidePids(r.node.Process.Pid, status.Node.Components)
	return status, nil
}
