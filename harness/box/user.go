package box

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"github.com/moby/sys/user"
)

// account returns the user of a program, USER or USER:GROUP, each a name or a number, with
// the groups and the home that /etc/passwd and /etc/group have (passwd(5), group(5)). A
// number need not be there. Empty: root. Package os/user may ask the name service of the C
// library, which a guest does not have.
func account(text string) (*user.ExecUser, error) {
	if strconv.Quote(text) != `"`+text+`"` {
		return nil, fmt.Errorf("%.60q names no user (--user): a name has no control characters and no quotes", text)
	}
	found, err := user.GetExecUserPath(text, nil, "/etc/passwd", "/etc/group")
	name, group, _ := strings.Cut(text, ":")
	switch {
	case errors.Is(err, user.ErrNoPasswdEntries):
		return nil, fmt.Errorf("there is no user %s in /etc/passwd: add the package that makes it, or choose another user (--user)", name)
	case errors.Is(err, user.ErrNoGroupEntries):
		return nil, fmt.Errorf("there is no group %s in /etc/group: choose another one (--user)", group)
	case err != nil:
		return nil, fmt.Errorf("looking for the user %s (--user): %w", text, err)
	}
	return found, nil
}

// CheckUser reports whether this machine has a user: USER or USER:GROUP, each a name or a number.
func CheckUser(text string) error {
	_, err := account(text)
	return err
}

// credential returns the numbers of an account; nil: they are those of the box itself.
func credential(u *user.ExecUser) *syscall.Credential {
	if u.Uid == 0 && u.Gid == 0 {
		return nil
	}
	c := &syscall.Credential{Uid: uint32(u.Uid), Gid: uint32(u.Gid)}
	for _, group := range u.Sgids {
		c.Groups = append(c.Groups, uint32(group))
	}
	return c
}
