package machine

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKernelDecidesItsMachine(t *testing.T) {
	vmlinuz := filepath.Join(t.TempDir(), "vmlinuz-6.1.0")
	if err := os.WriteFile(vmlinuz, []byte("MZ"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want    Want
		machine string
	}{
		{Want{}, UM},
		{Want{Kernel: "6.12"}, UM},
		{Want{Kernel: "6.1"}, UM},
		{Want{Kernel: "/proc/self/exe"}, UM}, // an ELF program
		{Want{Name: QEMU}, QEMU},
		{Want{Kernel: "linux-image-6.12-cloud-amd64"}, QEMU},
		{Want{Kernel: vmlinuz}, QEMU},
	} {
		if err := c.want.Check(); err != nil || c.want.Meant() != c.machine {
			t.Errorf("%+v: the machine %s, %v; expected %s", c.want, c.want.Meant(), err, c.machine)
		}
	}
}

func TestAWishThatMakesNoSenseIsOneLine(t *testing.T) {
	for _, c := range []struct {
		want     Want
		expected string
	}{
		{Want{Name: "vmware"}, `there is no machine "vmware": choose um or qemu`},
		{Want{Name: UM, Kernel: "linux-image-cloud-amd64"}, "the kernel linux-image-cloud-amd64 is for the machine qemu, not for um"},
		{Want{Name: QEMU, Kernel: "6.12"}, "the kernel 6.12 is for the machine um, not for qemu"},
		{Want{Kernel: "5.0"}, `there is no kernel "5.0": choose for um 6.12 or 6.1`},
	} {
		if err := c.want.Check(); err == nil || !strings.Contains(err.Error(), c.expected) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, expected %q", c.want, err, c.expected)
		}
	}
}

func TestAProgramThatIsNoKernelIsRefused(t *testing.T) {
	_, err := Find(t.Context(), Want{Kernel: "/bin/true"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "/bin/true is no user-mode kernel") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}
