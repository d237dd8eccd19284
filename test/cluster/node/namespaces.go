package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// cloneFlags are the namespaces that a cluster has for itself. What lies in them ends with their first process.
const cloneFlags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// kubeletSysctls are what the kubelet wants of the kernel and would set for the whole computer if it were otherwise
// (k8s.io/kubernetes/pkg/kubelet/cm, setupKernelTunables). It is shown files with these values instead.
var kubeletSysctls = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// prepareMounts gives this mount namespace its own /run, /var, /tmp and /proc, so that nothing that the cluster writes
// outside its folder is left on the computer. The cluster's folder appears as [insideFolder].
func prepareMounts(f folder) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making the mounts private: %w", err)
	}
	// Taken now: either may lie below /run, /var or /tmp, which are covered next.
	outside, err := unix.Open(string(f), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", f, err)
	}
	defer unix.Close(outside)
	// By its path: the file of /proc/self/exe belongs to the mounts of the namespace in which this process was started.
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := unix.Open(binary, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("this program's file: %w", err)
	}
	defer unix.Close(program)

	if err := mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return err
	}
	if err := prepareRun(); err != nil {
		return err
	}
	if err := bind(fmt.Sprintf("/proc/self/fd/%d", outside), string(insideFolder)); err != nil {
		return err
	}
	if err := bind(fmt.Sprintf("/proc/self/fd/%d", program), filepath.Join(insidePrograms, programName)); err != nil {
		return err
	}
	if err := prepareVar(insideFolder.path("var")); err != nil {
		return err
	}
	if err := bind(insideFolder.path("var"), "/var"); err != nil {
		return err
	}
	if err := mount("tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return err
	}
	if err := mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	return coverSysctls()
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mounting %s: %w", target, err)
	}
	return nil
}

func bind(source, target string) error { return mount(source, target, "", unix.MS_BIND, "") }

func prepareRun() error {
	var all error
	for _, path := range []string{string(insideFolder), insidePrograms, "/run/lock", "/run/sysctls"} {
		all = errors.Join(all, os.MkdirAll(path, 0o755))
	}
	all = errors.Join(all, os.WriteFile(filepath.Join(insidePrograms, programName), nil, 0o755))
	for _, c := range components() {
		if c.program == "" {
			all = errors.Join(all, os.Symlink(programName, filepath.Join(insidePrograms, c.name)))
		}
	}
	return all
}

func prepareVar(path string) error {
	var all error
	for _, name := range []string{"lib", "log", "tmp", "cache"} {
		all = errors.Join(all, os.MkdirAll(filepath.Join(path, name), 0o755))
	}
	return errors.Join(all, os.Symlink("/run", filepath.Join(path, "run")), os.Symlink("/run/lock", filepath.Join(path, "lock")))
}

func coverSysctls() error {
	for name, value := range kubeletSysctls {
		cover := filepath.Join("/run/sysctls", filepath.Base(name))
		if err := os.WriteFile(cover, []byte(value+"\n"), 0o444); err != nil {
			return err
		}
		if err := bind(cover, filepath.Join("/proc/sys", name)); err != nil {
			return err
		}
	}
	return nil
}

// prepareNetwork gives this network namespace a node address with a default route that leads nowhere.
// The address sits on one end of a veth pair, for not every kernel has the dummy interface.
func prepareNetwork() error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("setting up lo: %w", err)
	}
	attributes := netlink.NewLinkAttrs()
	attributes.Name = "node0"
	node := &netlink.Veth{LinkAttrs: attributes, PeerName: "node1"}
	if err := netlink.LinkAdd(node); err != nil {
		return fmt.Errorf("making the node's interface: %w", err)
	}
	peer, err := netlink.LinkByName("node1")
	if err != nil {
		return err
	}
	address, err := netlink.ParseAddr(nodeNetwork)
	if err != nil {
		return err
	}
	return errors.Join(
		netlink.LinkSetUp(peer),
		netlink.AddrAdd(node, address),
		netlink.LinkSetUp(node),
		netlink.RouteAdd(&netlink.Route{
			LinkIndex: node.Attrs().Index,
			Scope:     netlink.SCOPE_LINK,
			Dst:       &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)},
		}),
		os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644),
		unix.Sethostname([]byte(nodeName)),
	)
}
