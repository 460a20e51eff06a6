package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/environment"
)

// machineFiles returns what the machine's own files look like: owners, permissions, sizes, and
// when each was changed.
func machineFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, directory := range []string{"/etc", "/usr/bin", "/usr/sbin", "/usr/share/doc", "/var/lib/dpkg", "/var/lib/systemd", "/var/log", "/opt", "/srv", "/mnt", "/home"} {
		err := filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return fs.SkipDir
			}
			info, err := entry.Info()
			if err != nil {
				return nil
			}
			s := info.Sys().(*syscall.Stat_t)
			files[file] = fmt.Sprint(info.Mode(), s.Uid, s.Gid, s.Size, s.Mtim, s.Ctim)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// An installation and a program that writes wherever it can leave the machine as it was, and
// so do those that are killed on the way.
func TestTheMachineStaysAsItIs(t *testing.T) {
	cache, err := environment.Cache()
	if err != nil {
		t.Fatal(err)
	}
	own, temporary := t.TempDir(), t.TempDir()
	for _, name := range []string{"kernel", "debian"} { // what takes minutes
		if err := os.MkdirAll(filepath.Join(own, "halfopen"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(cache, name), filepath.Join(own, "halfopen", name)); err != nil {
			t.Fatal(err)
		}
	}
	halfopen, writes := built(t, "."), "sh -c 'for d in /etc /usr/bin /srv /home /var/log /opt; do echo x >$d/halfopen-was-here; chmod 700 $d; done; rm -r /etc/apt; exec memcached -u memcache -l 127.0.0.1'"
	report := filepath.Join(t.TempDir(), "report")
	command := func() *exec.Cmd {
		cmd := exec.Command(halfopen, "run", "process killed", "--package", "memcached", "--server", writes, "--port", "11211", "--report", report)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+own, "TMPDIR="+temporary)
		return cmd
	}
	before := machineFiles(t)
	for _, after := range []time.Duration{500 * time.Millisecond, 2 * time.Second, 4 * time.Second, 6 * time.Second} {
		cmd := command()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	}
	if out, stderr, status := ran(t, command()); status != kept {
		t.Errorf("exit status %d:\n%s%s", status, out, stderr)
	}
	after := machineFiles(t)
	for file, was := range before {
		if is := after[file]; is != was {
			t.Errorf("%s was %s, and is %q", file, was, is)
		}
	}
	for file := range after {
		if _, was := before[file]; !was {
			t.Errorf("%s is new", file)
		}
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("these temporary files are left: %v, %v", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(own, "halfopen/roots/"+atomicfile.Prefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("these unfinished layers are left: %v, %v", left, err)
	}
	processes, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range processes {
		if content, err := os.ReadFile(file); err == nil && strings.Contains(string(content), "XDG_CACHE_HOME="+own) {
			t.Errorf("a process is left: %s", filepath.Dir(file))
		}
	}
}
