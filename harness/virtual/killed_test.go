package virtual_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
)

// guestOf, in the environment, makes the test binary run a guest until it is killed: the
// file of process 1 and the file of the kernel.
const guestOf = "HALFOPEN_RUN_TEST_GUEST"

func TestMain(m *testing.M) {
	if of := os.Getenv(guestOf); of != "" {
		init, kernel, _ := strings.Cut(of, " ")
		if err := busyGuest(init, kernel); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1) // it has ended, and should not
	}
	os.Exit(m.Run())
}

// busyGuest runs a guest that works until it is killed (testdata/busy).
func busyGuest(init, kernel string) error {
	files := &virtual.Files{}
	for _, name := range []string{"/init", "/busy"} {
		if err := files.Copy(name, init); err != nil {
			return err
		}
	}
	found, err := machine.Find(context.Background(), machine.Want{Kernel: kernel}, io.Discard)
	if err != nil {
		return err
	}
	machine := virtual.Guest{Machine: found, Files: files, Memory: 256, Seed: 1, Commands: []guest.Command{{Arguments: []string{"/busy"}, Directory: "/"}}, Report: "/report",
		Console: os.Stdout}
	_, err = machine.Run(context.Background())
	return err
}

// The kernel and the programs in the guest are processes of this machine. Each of them has
// the kernel's file as its program, or was started by one that has.
func TestNothingIsLeftOfAGuestWhoseRunIsKilled(t *testing.T) {
	found, err := machine.Find(t.Context(), machine.Want{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	command, err := found.Command(256)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	// A file of its own tells its processes from those of other guests.
	kernel := filepath.Join(directory, "kernel-that-is-killed")
	if out, err := exec.CommandContext(t.Context(), "cp", command.Path, kernel).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	busy := filepath.Join(directory, "busy")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", busy, "./testdata/busy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for moment := range 10 {
		after := time.Duration(moment) * 70 * time.Millisecond
		temporary := t.TempDir()
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Env = append(os.Environ(), guestOf+"="+busy+" "+kernel, "TMPDIR="+temporary)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		awaitProcess(t, kernel)
		time.Sleep(after)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if left := leftOf(kernel, 5*time.Second); len(left) > 0 {
			t.Errorf("the run was killed %v after its guest's start, and these processes are left: %v", after, left)
		}
		if files, err := os.ReadDir(temporary); err != nil || len(files) > 0 {
			t.Errorf("the run was killed %v after its guest's start, and these files are left: %v, %v", after, files, err)
		}
	}
}

// awaitProcess waits until a process runs that file.
func awaitProcess(t *testing.T, file string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); len(running(file)) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no process has started %s in 20 s", file)
		}
	}
}

// leftOf waits until no process has to do with that file, and returns those that still do.
func leftOf(file string, patience time.Duration) (left []string) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = running(file); len(left) == 0 {
			return nil
		}
	}
	return left
}

// running are the processes that run a file, and those of their process groups.
func running(file string) (found []string) {
	groups := map[string]bool{}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		if exe, err := os.Readlink(filepath.Join(p, "exe")); err == nil && exe == file {
			groups[group(p)] = true
		}
	}
	delete(groups, "")
	for _, p := range processes {
		if groups[group(p)] {
			found = append(found, p)
		}
	}
	return found
}

// group is the process group of a process (proc_pid_stat(5)); empty: it has ended.
func group(process string) string {
	stat, err := os.ReadFile(filepath.Join(process, "stat"))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if fields[0] == "Z" {
		return ""
	}
	return fields[2]
}
