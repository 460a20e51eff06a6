package debian

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fetching is a script that waits for something, and tidies up when it is
// asked to end. Both hold the pipe open.
const fetching = `trap 'echo tidied >tidied; exit 1' TERM
exec 3>pipe
sh -c 'echo started >&3; exec sleep 1000' &
wait
`

func TestAFetchThatIsCancelledTidiesUpAndLeavesNothingRunning(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := unpacked(ctx, fetching, "iptables")
		ended <- err
	}()
	pipe, err := os.Open("pipe")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pipe.Close() }()
	in := bufio.NewReader(pipe)
	if line, err := in.ReadString('\n'); err != nil || line != "started\n" {
		t.Fatalf("the fetch says %q, %v", line, err)
	}
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "getting the package iptables") {
		t.Errorf("a fetch that was cancelled: %v", err)
	}
	if content, err := os.ReadFile("tidied"); string(content) != "tidied\n" {
		t.Errorf("it has not tidied up: %q, %v", content, err)
	}
	if err := pipe.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(in); err != nil {
		t.Errorf("what it had started still runs: %v", err)
	}
}

func TestUnpackedPackagesAreListedWithTheirVersions(t *testing.T) {
	cache := t.TempDir()
	for name, versions := range map[string]string{
		"iptables,dash": "dash 0.5.12-2\nlibc6 2.36-9\niptables 1.8.9-2\n", "linux-image-cloud-amd64": "linux-image-6.1.0-56-cloud-amd64 6.1.170-1\n", "nginx=1.22.1-9": "libc6 2.36-9\nnginx 1.22.1-9\n", "old": "",
	} {
		if err := os.MkdirAll(filepath.Join(cache, name, "var/lib/dpkg"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(cache, name, "var/lib/dpkg/versions"), []byte(versions), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"iptables,dash": "dash 0.5.12-2, iptables 1.8.9-2", "linux-image-cloud-amd64": "linux-image-6.1.0-56-cloud-amd64 6.1.170-1", "nginx=1.22.1-9": "nginx=1.22.1-9", "old": "old", "none": "none"} {
		if got := UnpackedVersions(filepath.Join(cache, name)); got != want {
			t.Errorf("%s is listed as %q, expected %q", name, got, want)
		}
	}
}

func TestADamagedUnpackedPackageIsNamed(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "usr/sbin/program")
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "")
	write(filepath.Join(directory, sums), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  usr/sbin/program\n")
	if err := Verify(directory, nil); err != nil {
		t.Error(err)
	}
	write(file, "x")
	if err, want := Verify(directory, nil), file+" is damaged (its checksum is not the one in its record): remove "+directory+", and it is fetched again"; err == nil || err.Error() != want {
		t.Errorf("%v, expected %s", err, want)
	}
	if err := Verify(directory, func(name string) bool { return name == "/usr/sbin/program" }); err != nil {
		t.Errorf("what is left out: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := Verify(directory, nil); err == nil || !strings.Contains(err.Error(), "it is missing") {
		t.Errorf("a missing file: %v", err)
	}
}
