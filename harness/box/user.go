package box

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// credential returns the numbers of a user in /etc/passwd (passwd(5)) and of the user's
// groups. Package os/user may
// ask the name service of the C library, which a guest does not have.
func credential(name string) (*syscall.Credential, error) {
	content, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return nil, err
	}
	for entry := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSpace(entry), ":")
		if len(fields) < 4 || fields[0] != name {
			continue
		}
		uid, err1 := strconv.ParseUint(fields[2], 10, 32)
		gid, err2 := strconv.ParseUint(fields[3], 10, 32)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("the user %s has no numbers in /etc/passwd", name)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: groupsOf(name)}, nil
	}
	return nil, fmt.Errorf("there is no user %s in /etc/passwd: add the package that makes it, or choose another user (--user)", name)
}

// groupsOf returns the numbers of the groups in /etc/group (group(5)) that have a user as a
// member.
func groupsOf(user string) (groups []uint32) {
	content, _ := os.ReadFile("/etc/group") // without the file, none
	for entry := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSpace(entry), ":")
		if len(fields) < 4 || !slices.Contains(strings.Split(fields[3], ","), user) {
			continue
		}
		if gid, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
			groups = append(groups, uint32(gid))
		}
	}
	return groups
}
