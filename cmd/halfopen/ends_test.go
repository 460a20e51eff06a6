package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A stage is something that a command waits for, which never comes.
type stage struct {
	name      string
	arguments []string
	programs  map[string]string // replace those of this machine: the text of a shell script each
	kernels   bool              // the cache has this user's kernels
	waits     string            // is in a file, or printed, when it waits
}

// hangs is a program that leaves a file, and then waits for itself and a child to be killed.
const hangs = "#!/bin/sh\nsleep 1000 &\n: >\"$WAITS\"\nsleep 1000\n"

// stages returns what each stage of a command may wait for.
func stages(t *testing.T) []stage {
	t.Helper()
	directory := t.TempDir()
	pipe := filepath.Join(directory, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	registry, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.Close() })
	go func() { // it takes connections, and never answers
		for {
			if _, err := registry.Accept(); err != nil {
				return
			}
		}
	}()
	server := []string{"--server", "sleep 1000", "--port", "5000"}
	with := func(command string, more ...string) []string {
		return append(append([]string{command}, server...), more...)
	}
	image := registry.Addr().String() + "/image:1"
	return []stage{
		{name: "a pipe for the file", arguments: []string{"audit", "-f", pipe}},
		{name: "a pipe for the baseline", arguments: with("audit", "--baseline", pipe)},
		{name: "apt for packages", arguments: with("audit", "--package", "nginx"), programs: map[string]string{"apt-get": hangs, "apt-cache": hangs}, waits: "file"},
		{name: "apt for the kernel", arguments: []string{"kernel", "build"}, programs: map[string]string{"apt-get": hangs, "dpkg-query": "#!/bin/sh\necho installed\n"}, waits: "file"},
		{name: "a registry", arguments: []string{"audit", "--image", image, "--port", "5000"}},
		{name: "the go command", arguments: []string{"test", "./..."}, programs: map[string]string{"go": hangs}, waits: "file"},
		{name: "a guest that boots and measures", arguments: with("audit", "--ready", "719h"), kernels: true, waits: "measuring in virtual time"},
	}
}

// waiting starts a command and returns when it waits.
func waiting(t *testing.T, binary string, s stage) (cmd *exec.Cmd, output *buffer, mark string) {
	t.Helper()
	directory := t.TempDir()
	output = &buffer{}
	cmd = exec.Command(binary, s.arguments...)
	cmd.Dir = directory
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	mark = filepath.Join(directory, "waits")
	cmd.Env = append(os.Environ(), "WAITS="+mark)
	if !s.kernels {
		cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(directory, "cache"))
	}
	if len(s.programs) > 0 {
		bin := filepath.Join(directory, "bin")
		if err := os.Mkdir(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range s.programs {
			if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		there := false
		switch s.waits {
		case "file":
			_, err := os.Stat(mark)
			there = err == nil
		case "": // what it waits for leaves no trace: its threads sleep
			there = asleep(cmd.Process.Pid)
		default:
			there = strings.Contains(output.String(), s.waits)
		}
		if there {
			return cmd, output, mark
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatalf("it does not come to wait:\n%s", output)
		}
	}
}

// asleep reports whether a process has used no processor time for half a second.
func asleep(pid int) bool {
	used := func() string {
		content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		fields := strings.Fields(string(content))
		if len(fields) < 15 {
			return ""
		}
		return fields[13] + " " + fields[14]
	}
	before := used()
	time.Sleep(500 * time.Millisecond)
	return before != "" && used() == before
}

// buffer is a bytes.Buffer for a process that writes and a test that reads.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// left returns the processes that have a variable in their environment.
func left(t *testing.T, setting string) (all []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && bytes.Contains(content, []byte(setting)) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			all = append(all, filepath.Dir(file)+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return all
}

// The limits within which a command ends, with room for a loaded machine: it waits for nothing
// that takes time, but for a guest, which is asked to end first.
const (
	endsSoon = 20 * time.Second
	endsNow  = 10 * time.Second
)

func TestTheFirstSignalEndsACommandWhateverItWaitsFor(t *testing.T) {
	t.Parallel()
	binary := built(t, ".")
	for _, s := range stages(t) {
		for _, signal := range []unix.Signal{unix.SIGINT, unix.SIGTERM} {
			t.Run(s.name+", "+signal.String(), func(t *testing.T) {
				cmd, output, mark := waiting(t, binary, s)
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				ended := ends(t, cmd, endsSoon)
				text := output.String()
				if !ended || cmd.ProcessState.ExitCode() != notMeasured {
					t.Errorf("it ends with %v:\n%s", cmd.ProcessState, text)
				}
				if !strings.Contains(text, "signal received") || strings.Contains(text, "goroutine ") {
					t.Errorf("it prints:\n%s", text)
				}
				if processes := left(t, "WAITS="+mark); len(processes) > 0 {
					t.Errorf("these processes are left: %q", processes)
				}
			})
		}
	}
}

func TestTheSecondSignalEndsItAtOnceAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	binary := built(t, ".")
	for _, s := range stages(t) {
		for _, signal := range []unix.Signal{unix.SIGINT, unix.SIGTERM} {
			t.Run(s.name+", "+signal.String(), func(t *testing.T) {
				cmd, output, mark := waiting(t, binary, s)
				for range 2 {
					_ = cmd.Process.Signal(signal) // the first may have ended it
					time.Sleep(100 * time.Millisecond)
				}
				if !ends(t, cmd, endsNow) {
					t.Fatalf("it does not end:\n%s", output)
				}
				if text := output.String(); strings.Contains(text, "goroutine ") {
					t.Errorf("it prints:\n%s", text)
				}
				var processes []string
				for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
					if processes = left(t, "WAITS="+mark); len(processes) == 0 {
						break
					}
				}
				if len(processes) > 0 {
					t.Errorf("these processes are left: %q", processes)
				}
			})
		}
	}
}

// ends waits for a command to end, and kills it if it does not.
func ends(t *testing.T, cmd *exec.Cmd, within time.Duration) bool {
	t.Helper()
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // its status is in the process state
	select {
	case <-done:
		return true
	case <-time.After(within):
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		<-done
		return false
	}
}
