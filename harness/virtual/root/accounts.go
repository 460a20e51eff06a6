package root

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
)

// accounts are the users of a guest, each with a group of the same name and number.
type accounts struct {
	names  []string // of the users that packages have added, in that order
	number map[string]int
}

// basicAccounts returns the users and groups that every Debian system has and programs ask
// for (package base-passwd).
func basicAccounts() *accounts {
	a := &accounts{number: map[string]int{}}
	for name, number := range map[string]int{
		"root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "man": 6, "mail": 8, "www-data": 33, "shadow": 42, "nogroup": 65533, "nobody": 65534,
	} {
		a.number[name] = number
	}
	return a
}

// firstSystem is the first number that Debian gives to a user of a package
// (adduser.conf(5), FIRST_SYSTEM_UID).
const firstSystem = 100

// add adds a user, unless there is one of that name.
func (a *accounts) add(name string) {
	if _, known := a.number[name]; known {
		return
	}
	a.names = append(a.names, name)
	a.number[name] = firstSystem + len(a.names) - 1
}

// write writes passwd(5), group(5), shadow(5), and the files that say where they are
// (nsswitch.conf(5), hosts(5)).
func (a *accounts) write(files *virtual.Files) {
	var names []string
	for name := range a.number {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int { return a.number[x] - a.number[y] })
	var passwd, group, shadow strings.Builder
	for _, name := range names {
		home, shell := "/nonexistent", "/usr/sbin/nologin"
		if name == "root" {
			home, shell = "/root", "/bin/sh"
		}
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:%s\n", name, a.number[name], a.number[name], home, shell)
		fmt.Fprintf(&group, "%s:x:%d:\n", name, a.number[name])
		fmt.Fprintf(&shadow, "%s:*:20000:0:99999:7:::\n", name)
	}
	files.Write("/etc/passwd", []byte(passwd.String()), 0o644)
	files.Write("/etc/group", []byte(group.String()), 0o644)
	files.Write("/etc/shadow", []byte(shadow.String()), 0o640)
	files.Write("/etc/nsswitch.conf", []byte("passwd: files\ngroup: files\nshadow: files\nhosts: files\n"), 0o644)
	files.Write("/etc/hosts", []byte("127.0.0.1 localhost guest\n"), 0o644)
	files.Directory("/root", 0o700)
}
