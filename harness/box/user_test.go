package box

import (
	"slices"
	"strings"
	"testing"
)

// The numbers are those of every Debian (package base-passwd).
func TestUsers(t *testing.T) {
	for text, want := range map[string]struct {
		uid, gid uint32
		home     string
	}{
		"daemon":       {1, 1, "/usr/sbin"},
		"daemon:mail":  {1, 8, "/usr/sbin"},
		"1":            {1, 1, "/usr/sbin"},
		"12345:54321":  {12345, 54321, ""},
		"12345":        {12345, 0, ""},
		"nobody:12345": {65534, 12345, "/nonexistent"},
		"12345:mail":   {12345, 8, ""},
		"daemon:":      {1, 1, "/usr/sbin"},
		"root:mail":    {0, 8, "/root"},
	} {
		found, err := account(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c := credential(found); c == nil || c.Uid != want.uid || c.Gid != want.gid || found.Home != want.home {
			t.Errorf("%s: %+v, %q", text, c, found.Home)
		}
	}
	for _, text := range []string{"", "root", "0:0"} {
		if found, err := account(text); err != nil || credential(found) != nil {
			t.Errorf("%q: %+v, %v", text, found, err)
		}
	}
	for text, want := range map[string]string{
		"nosuch":        "there is no user nosuch in /etc/passwd",
		"daemon:nosuch": "there is no group nosuch in /etc/group",
		"-1":            "looking for the user -1",
		"4294967295":    "looking for the user 4294967295",
	} {
		if _, err := account(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
}

func TestSupplementaryGroups(t *testing.T) {
	found, err := account("daemon")
	if err != nil {
		t.Fatal(err)
	}
	found.Sgids = []int{4, 8}
	if c := credential(found); !slices.Equal(c.Groups, []uint32{4, 8}) {
		t.Errorf("%v", c.Groups)
	}
}
