package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/doctor"
)

func TestDoctor(t *testing.T) {
	binary := built(t, ".")

	t.Run("here", func(t *testing.T) {
		out, err := exec.Command(binary, "doctor", "--json").Output()
		var report doctor.Report
		if err != nil || json.Unmarshal(out, &report) != nil || !report.RunningKernel {
			t.Errorf("%v, %s; where the harness is tested, labs can be made", err, out)
		}
		if out, err = exec.Command(binary, "doctor").Output(); err != nil || !strings.Contains(string(out), "\nthe running kernel  yes") {
			t.Errorf("%v\n%s", err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(lines) != len(report.Findings)+3 {
			t.Errorf("%d findings, expected a line for each, an empty one and two more:\n%s", len(report.Findings), out)
		}
	})

	t.Run("where nothing works", func(t *testing.T) {
		cmd := exec.Command("/bin/sh", "-c", `echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_pid_namespaces && exec "$0" doctor`, binary)
		cmd.Env = []string{"PATH=" + t.TempDir(), "HOME=" + t.TempDir()}
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		}
		var out, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &stderr
		_ = cmd.Run() // its status is looked at
		if status := cmd.ProcessState.ExitCode(); status != notMeasured {
			t.Errorf("status %d, expected %d\n%s%s", status, notMeasured, &out, &stderr)
		}
		if got, want := stderr.String(), "halfopen: nothing can be measured here: neither the running kernel nor virtual time works\n"; got != want {
			t.Errorf("%q, expected %q", got, want)
		}
		if !strings.Contains(out.String(), "install the package qemu-system-x86") || !strings.Contains(out.String(), "sysctl user.max_user_namespaces") {
			t.Errorf("no remedies in\n%s", &out)
		}
	})
}
