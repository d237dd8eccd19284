package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// addOutsidePids fills in the process numbers that the workstation sees of the components, which know themselves by
// those of their own namespace (proc(5), NSpid).
func addOutsidePids(nodePid int, components []componentStatus) {
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", nodePid))
	if err != nil {
		return
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	outside := map[int]int{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if other, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)); err != nil || other != namespace {
			continue
		}
		if inside, ok := innermostPid(pid); ok {
			outside[inside] = pid
		}
	}
	for i := range components {
		if components[i].State == "running" {
			components[i].OutsidePid = outside[components[i].Pid]
		}
	}
}

func innermostPid(pid int) (int, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		if numbers, found := strings.CutPrefix(line, "NSpid:"); found {
			fields := strings.Fields(numbers)
			if len(fields) == 0 {
				return 0, false
			}
			inside, err := strconv.Atoi(fields[len(fields)-1])
			return inside, err == nil
		}
	}
	return 0, false
}
