package box

import (
	"slices"
	"testing"
)

// Lines as /proc/self/mounts has them on a machine, in a container and in a guest.
func TestTheBoxHasTheMachinesFileSystems(t *testing.T) {
	for _, c := range []struct {
		name, table string
		want        []string
	}{
		{"a machine", `sysfs /sys sysfs rw,nosuid 0 0
proc /proc proc rw,nosuid 0 0
/dev/vda1 / ext4 rw,relatime 0 0
tmpfs /dev/shm tmpfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/vdb1 /home xfs rw 0 0
/dev/vdc1 /mnt/backup ext4 rw 0 0
/dev/vdd1 /mnt2 ext4 rw 0 0
/dev/vdb1 /home xfs rw 0 0
`, []string{"/", "/tmp", "/home", "/mnt2"}},
		{"names with spaces and backslashes", `/dev/vda1 / ext4 rw 0 0
/dev/vdb1 /my\040disk\134new ext4 rw 0 0
`, []string{"/", `/my disk\new`}},
		{"a container", `overlay / overlay rw,lowerdir=/a:/b 0 0
proc /proc proc rw 0 0
/dev/vda1 /etc/hosts ext4 rw 0 0
`, []string{"/", "/etc/hosts"}},
		{"a guest", `none / rootfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
`, []string{"/"}},
	} {
		if got := fileSystems(c.table); !slices.Equal(got, c.want) {
			t.Errorf("%s: the file systems are %q, expected %q", c.name, got, c.want)
		}
	}
}
