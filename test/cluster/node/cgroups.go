package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cgroupMount = "/sys/fs/cgroup"

// cgroupName is the control group that holds all pods of a cluster; the kubelet's --cgroup-root.
func cgroupName(cluster string) string { return "kubernetes-local-" + cluster }

// hierarchies are the folders in which a control group has to be made: one of cgroup v2, or each controller's of v1.
func hierarchies() ([]string, error) {
	if isUnified(cgroupMount) {
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() { // Not the symbolic links, such as "cpu" for "cpu,cpuacct".
			found = append(found, filepath.Join(cgroupMount, entry.Name()))
		}
	}
	return found, nil
}

func isUnified(path string) bool {
	var stat unix.Statfs_t
	return unix.Statfs(path, &stat) == nil && stat.Type == unix.CGROUP2_SUPER_MAGIC
}

// prepareCgroups makes the cluster's control group in every hierarchy, with all controllers.
func prepareCgroups(cluster string) error {
	parents, err := hierarchies()
	if err != nil {
		return err
	}
	for _, parent := range parents {
		group := filepath.Join(parent, cgroupName(cluster))
		if err := os.MkdirAll(group, 0o755); err != nil {
			return fmt.Errorf("making the control group: %w", err)
		}
		if isUnified(parent) {
			controllers, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
			if err != nil {
				return err
			}
			for _, controller := range strings.Fields(string(controllers)) {
				// A controller that cannot be had is the kubelet's to complain about.
				_ = os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
			}
			continue
		}
		// A new cpuset (v1) is empty and takes no process until it is given its parent's values.
		for _, file := range []string{"cpuset.mems", "cpuset.cpus"} {
			if value, err := os.ReadFile(filepath.Join(parent, file)); err == nil {
				if err := os.WriteFile(filepath.Join(group, file), value, 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// removeCgroups removes what a cluster, ended or killed, has left; its processes may still be on their way out.
func removeCgroups(cluster string) error {
	parents, err := hierarchies()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(5 * time.Second)
	for _, parent := range parents {
		group := filepath.Join(parent, cgroupName(cluster))
		for {
			err := removeTree(group)
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("removing the control group: %w", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

func removeTree(group string) error {
	var groups []string
	err := filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() {
			groups = append(groups, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := len(groups) - 1; i >= 0; i-- {
		if err := unix.Rmdir(groups[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", groups[i], err)
		}
	}
	return nil
}
