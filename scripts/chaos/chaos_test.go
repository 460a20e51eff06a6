package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cacheVariable makes this program change a cache, in namespaces of its own.
const cacheVariable = "CHAOS_TEST_CACHE"

func TestMain(m *testing.M) {
	if cache := os.Getenv(cacheVariable); cache != "" {
		if err := spoil(cache); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// spoil does to the house's cache whatever a command could, and closes the house.
func spoil(cache string) error {
	directory, err := os.MkdirTemp(filepath.Dir(cache), "house-")
	if err != nil {
		return err
	}
	h := &house{directory: directory}
	seen := filepath.Join(h.cache(), "halfopen")
	if err := errors.Join(os.MkdirAll(seen, 0o755), h.mountCache(cache)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(seen, "kernel", "linux")); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(seen, "kernel")), os.Truncate(filepath.Join(seen, "record"), 0)); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(seen, "kernel")); err == nil {
		return errors.New("the house's cache does not change")
	}
	if err := h.close(); err != nil {
		return err
	}
	if _, err := os.Stat(directory); err == nil {
		return errors.New("the house is left")
	}
	return nil
}

func TestTheUsersCacheStaysAsItIs(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cache")
	want := map[string]string{"kernel/linux": "a kernel", "record": "{}"}
	for name, content := range want {
		file := filepath.Join(cache, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", os.Args[0])
	cmd.Env = append(os.Environ(), cacheVariable+"="+cache)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, content := range want {
		if got, err := os.ReadFile(filepath.Join(cache, name)); err != nil || string(got) != content {
			t.Errorf("%s is now %q, %v", name, got, err)
		}
	}
}

// prints prints the seconds by which its wall clock and its monotonic clock go on meanwhile.
const prints = `package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	began := time.Now()
	fmt.Println("began")
	_, _ = os.Stdin.Read(make([]byte, 1))
	ended := time.Now()
	fmt.Println(ended.Round(0).Sub(began.Round(0)).Round(time.Minute), ended.Sub(began).Round(time.Minute))
}
`

func TestAStepMovesTheWallClockAlone(t *testing.T) {
	h := &house{directory: t.TempDir()}
	source, program := filepath.Join(h.directory, "main.go"), filepath.Join(h.directory, "prints")
	if err := errors.Join(os.WriteFile(source, []byte(prints), 0o644), step(h.clock(), 0)); err != nil {
		t.Fatal(err)
	}
	private, err := overlay(h.directory)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", private, "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, by := range append([]time.Duration{0}, steps...) {
		if err := step(h.clock(), 0); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), clockVariable+"="+h.clock())
		input, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var said string
		_, err = fmt.Fscanln(output, &said)
		err = errors.Join(err, step(h.clock(), by), input.Close())
		var wall, monotonic string
		_, failed := fmt.Fscanln(output, &wall, &monotonic)
		if err := errors.Join(err, failed, cmd.Wait()); err != nil {
			t.Fatal(err)
		}
		if want := by.Round(time.Minute).String(); wall != want || monotonic != "0s" {
			t.Errorf("a step of %v: the wall clock went on %s and the monotonic one %s", by, wall, monotonic)
		}
	}
}

// A process in the group starts no other one once it is exhausted, and does again afterwards.
func TestExhaustedProcesses(t *testing.T) {
	if !root() {
		wrapper := append(fewProcesses(rand.New(rand.NewPCG(1, 0))), "sh", "-c", "for n in $(seq 100); do sleep 1 & done")
		if out, err := exec.Command(wrapper[0], wrapper[1:]...).CombinedOutput(); !strings.Contains(string(out), "ork") {
			t.Errorf("a hundred processes are started: %v, %s", err, out)
		}
		return
	}
	group, err := makeGroup()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	})
	cmd := exec.Command("sh", "-c", "while read word; do /bin/true && echo started; done")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	undo, err := exhaust(group, []int{cmd.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(group, "cgroup.procs")); err != nil || strings.TrimSpace(string(content)) != strconv.Itoa(cmd.Process.Pid) {
		t.Errorf("in the group are %q, %v", content, err)
	}
	_, err = input.Write([]byte("one\n"))
	_ = errors.Join(err, input.Close(), cmd.Wait()) // the shell ends when it cannot fork
	if !strings.Contains(output.String(), "ork") || strings.Contains(output.String(), "started") {
		t.Errorf("the shell prints %q", output.String())
	}
	if err := undo(); err != nil {
		t.Error(err)
	}
}
