package box

import (
	"strings"
	"testing"
)

// Who mounts a file system chooses its names (proc_pid_mounts(5)).
func FuzzFileSystems(f *testing.F) {
	f.Add("/dev/vda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb1 /home\\040x xfs rw 0 0\n")
	f.Add("none / rootfs rw 0 0\n")
	f.Add("a /mnt/b ext4\na /mnt2 ext4\na /x\\134040,: ext4\n")
	f.Fuzz(func(t *testing.T, table string) {
		for i, at := range fileSystems(table) {
			if i == 0 && at != "/" || at == layer || strings.HasPrefix(at, layer+"/") {
				t.Errorf("a file system is at %q", at)
			}
		}
	})
}

func FuzzAccount(f *testing.F) {
	for _, text := range []string{"", "root", "daemon:mail", "12345:54321", "-1", "4294967296", ":", "a:b:c", "\n", "root:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := account(text)
		if err == nil {
			credential(found)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is not one line: %q", err)
		}
	})
}
