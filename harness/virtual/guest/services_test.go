package guest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAUnitNamesItsDirectories(t *testing.T) {
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "etc/passwd"), []byte("root:x:0:0::/root:/bin/sh\nredis:x:101:102::/:/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	for unit, want := range map[string]string{
		"[Service]\nUser=redis\nGroup=web\nRuntimeDirectory=redis redis/more\nRuntimeDirectoryMode=2750\n": "d /run/redis 2750 redis web\nd /run/redis/more 2750 redis web\n",
		"[Service]\nUser=redis\nRuntimeDirectory=own:link\n":                                               "d /run/own 0755 redis 102\n",
		"[Service]\nRuntimeDirectory = other\n":                                                            "d /run/other 0755 root 0\n",
		"[Service]\nUser=not-there\nRuntimeDirectory=x\n":                                                  "d /run/x 0755 not-there 0\n",
		"[Service]\nRuntimeDirectory=instance-%i\n":                                                        "",
		"[Service]\nRuntimeDirectory=../etc\n":                                                             "",
		"[Service]\nExecStart=/bin/true\n":                                                                 "",
	} {
		if got := runtimeDirectories(root, unit); got != want {
			t.Errorf("%q names %q, expected %q", unit, got, want)
		}
	}
}
