package sysctl_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

func TestMain(m *testing.M) { private.Main(m.Run) }

// inNew runs a test in a new network namespace.
func inNew(t *testing.T, f func()) {
	t.Helper()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	if err := ns.Do(func() error { f(); return nil }); err != nil {
		t.Fatal(err)
	}
}

// file is what the kernel shows of a parameter.
func file(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestASettingIsWrittenOnlyWhereItDiffers(t *testing.T) {
	inNew(t, func() {
		s := sysctl.Setting{Name: "net/ipv4/tcp_retries2", Value: "9"}
		for _, want := range []bool{true, false} {
			if changed, err := s.Apply(); changed != want || err != nil {
				t.Errorf("Apply: %v, %v, expected %v", changed, err, want)
			}
		}
		if got := file(t, s.Name); got != "9\n" {
			t.Errorf("the kernel has %q", got)
		}
	})
}

func TestSeveralNumbers(t *testing.T) {
	inNew(t, func() {
		const name = "net/ipv4/ip_local_port_range"
		if err := sysctl.Write(name, "4000 4001"); err != nil {
			t.Error(err)
		}
		if got := file(t, name); got != "4000\t4001\n" {
			t.Errorf("the kernel has %q", got)
		}
		if got, err := sysctl.Read(name); got != "4000 4001" || err != nil {
			t.Errorf("Read: %q, %v", got, err)
		}
	})
}

// The kernel shows a key of TCP Fast Open in a form of its own (net/ipv4/sysctl_net_ipv4.c,
// proc_tcp_fastopen_key).
func TestAValueThatReadsBackDifferently(t *testing.T) {
	inNew(t, func() {
		const want = `setting the sysctl net/ipv4/tcp_fastopen_key to "1-2-3-4": it reads back as "00000001-00000002-00000003-00000004"`
		if err := sysctl.Write("net/ipv4/tcp_fastopen_key", "1-2-3-4"); err == nil || err.Error() != want {
			t.Errorf("Write: %v, expected %s", err, want)
		}
	})
}

func TestWhatTheKernelDoesNotTake(t *testing.T) {
	inNew(t, func() {
		for name, want := range map[string]string{
			"net/ipv4/tcp_nonesuch":    `setting the sysctl net/ipv4/tcp_nonesuch to "300": no such file or directory`,
			"net/ipv4/tcp_syn_retries": `setting the sysctl net/ipv4/tcp_syn_retries to "300": invalid argument`,
		} {
			if err := sysctl.Write(name, "300"); err == nil || err.Error() != want {
				t.Errorf("Write: %v, expected %s", err, want)
			}
		}
		if _, err := sysctl.Read("net/ipv4/tcp_nonesuch"); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading the sysctl net/ipv4/tcp_nonesuch: ") {
			t.Errorf("Read: %v", err)
		}
		for _, s := range []sysctl.Setting{
			{Name: "net/ipv4/tcp_nonesuch", Value: "1", Optional: true},
			{Name: "net/ipv4/tcp_nonesuch", Value: "1", Since: linux.Version{Major: 1000}},
		} {
			if changed, err := s.Apply(); changed || err != nil {
				t.Errorf("%+v: %v, %v", s, changed, err)
			}
		}
		since := sysctl.Setting{Name: "net/ipv4/tcp_nonesuch", Value: "1", Since: linux.Running()}
		if _, err := since.Apply(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a kernel that must have it and does not: %v", err)
		}
	})
}

func TestAProfileHoldsInEachNamespace(t *testing.T) {
	p := sysctl.NewProfile(
		sysctl.Setting{Name: "net/ipv4/tcp_retries1", Value: "3"}, // the default
		sysctl.Setting{Name: "net/ipv4/tcp_retries2", Value: "8"},
		sysctl.Setting{Name: "net/ipv4/tcp_nonesuch", Value: "1", Optional: true},
	)
	for range 3 {
		inNew(t, func() {
			if err := p.Apply(); err != nil {
				t.Error(err)
			}
			if got := file(t, "net/ipv4/tcp_retries1") + file(t, "net/ipv4/tcp_retries2"); got != "3\n8\n" {
				t.Errorf("the kernel has %q", got)
			}
		})
	}
	// What is the default is neither read nor written again.
	inNew(t, func() {
		if err := sysctl.Write("net/ipv4/tcp_retries1", "4"); err != nil {
			t.Error(err)
		}
		if err := p.Apply(); err != nil {
			t.Error(err)
		}
		if got := file(t, "net/ipv4/tcp_retries1"); got != "4\n" {
			t.Errorf("the default was written again: %q", got)
		}
	})
}

func TestAProfileThatFailsOnceIsAppliedWhole(t *testing.T) {
	p := sysctl.NewProfile(
		sysctl.Setting{Name: "net/ipv4/tcp_retries2", Value: "8"},
		sysctl.Setting{Name: "net/ipv4/tcp_nonesuch", Value: "1"},
	)
	for range 2 {
		inNew(t, func() {
			if err := p.Apply(); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Apply: %v, expected that there is no such sysctl", err)
			}
			if got := file(t, "net/ipv4/tcp_retries2"); got != "8\n" {
				t.Errorf("the kernel has %q", got)
			}
		})
	}
}
