package contained

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

type user struct{ uid, gid uint32 }

// look finds a user in /etc/passwd (passwd(5)). Package os/user may ask the name service
// of the C library, which the guest does not have.
func look(name string) (user, error) {
	content, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return user{}, err
	}
	for entry := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSpace(entry), ":")
		if len(fields) < 4 || fields[0] != name {
			continue
		}
		uid, err1 := strconv.ParseUint(fields[2], 10, 32)
		gid, err2 := strconv.ParseUint(fields[3], 10, 32)
		if err1 != nil || err2 != nil {
			return user{}, fmt.Errorf("the user %s has no numbers in /etc/passwd", name)
		}
		return user{uint32(uid), uint32(gid)}, nil
	}
	return user{}, fmt.Errorf("there is no user %s in /etc/passwd: a package that makes it, or --user with another name, is needed", name)
}
