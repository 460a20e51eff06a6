package root

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/virtual"
	"github.com/halfopen-lab/halfopen/harness/virtual/guest"
)

// accounts are the users and groups that every Debian system has and programs ask for
// (package base-passwd).
var accounts = map[string]int{
	"root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "man": 6, "mail": 8, "www-data": 33, "shadow": 42, "nogroup": 65533, "nobody": 65534,
}

// addAccounts writes passwd(5), group(5), shadow(5), and the files that say where they are
// (nsswitch.conf(5), hosts(5)).
func addAccounts(files *virtual.Files) {
	var names []string
	for name := range accounts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int { return accounts[x] - accounts[y] })
	var passwd, group, shadow strings.Builder
	for _, name := range names {
		home, shell := "/nonexistent", "/usr/sbin/nologin"
		if name == "root" {
			home, shell = "/root", "/bin/sh"
		}
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:%s\n", name, accounts[name], accounts[name], home, shell)
		fmt.Fprintf(&group, "%s:x:%d:\n", name, accounts[name])
		fmt.Fprintf(&shadow, "%s:*:20000:0:99999:7:::\n", name)
	}
	files.Write("/etc/passwd", []byte(passwd.String()), 0o644)
	files.Write("/etc/group", []byte(group.String()), 0o644)
	files.Write("/etc/shadow", []byte(shadow.String()), 0o640)
	files.Write("/etc/nsswitch.conf", []byte("passwd: files\ngroup: files\nshadow: files\nhosts: files\n"), 0o644)
	files.Write("/etc/hosts", []byte("127.0.0.1 localhost "+guest.Hostname+"\n"), 0o644)
	files.Directory("/root", 0o700)
}
