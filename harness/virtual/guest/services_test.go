package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Lines of units and of tmpfiles.d of Debian's packages: redis-server, haproxy, systemd,
// postgresql-common, squid.
func TestServicesHaveTheirDirectories(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"etc/passwd":                                 fmt.Sprintf("root:x:%[1]d:%[2]d::/:/bin/sh\nredis:x:%[1]d:%[2]d::/:/bin/sh\n", os.Getuid(), os.Getgid()),
		"etc/group":                                  fmt.Sprintf("root:x:%[1]d:\nredis:x:%[1]d:\n", os.Getgid()),
		"usr/lib/systemd/system/redis.service":       "[Service]\nUser=redis\nGroup=redis\nRuntimeDirectory=redis redis/more\nRuntimeDirectoryMode=2750\n",
		"etc/systemd/system/other.service":           "[Service]\nRuntimeDirectory=other\n",
		"usr/lib/systemd/system/nobody.service":      "[Service]\nUser=not-there\nRuntimeDirectory=of-nobody\n",
		"usr/lib/systemd/system/instance@.service":   "[Service]\nRuntimeDirectory=instance-%i\n",
		"usr/lib/tmpfiles.d/postgresql.conf":         "# a comment\nd /run/postgresql 2775 redis redis - -\nD! /var/run/old 0700\nf /run/file 0644 - - -\nd /var/lib/elsewhere 0755\nd /run/%u 0755\n",
		"etc/tmpfiles.d/unknown.conf":                "d /run/unknown 0755 not-there not-there\n",
		"usr/lib/systemd/system/broken-link.service": "",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := makeServiceDirectories(root); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err := filepath.Walk(filepath.Join(root, "run"), func(file string, info os.FileInfo, err error) error {
		if err == nil {
			got[file[len(root):]] = info.Mode().String()
		}
		return err
	})
	want := map[string]string{
		"/run": "drwxr-xr-x", "/run/redis": "dgrwxr-x---", "/run/redis/more": "dgrwxr-x---", "/run/other": "drwxr-xr-x",
		"/run/postgresql": "dgrwxrwxr-x", "/run/old": "drwx------",
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v: %v\nexpected %v", err, got, want)
	}
	if _, err := os.Stat(filepath.Join(root, "var")); err == nil {
		t.Error("a directory outside /run was made")
	}
}
