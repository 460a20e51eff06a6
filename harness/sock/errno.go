package sock

import (
	"errors"

	"golang.org/x/sys/unix"
)

// ErrnoName returns the name of the errno that err is or wraps, such as "ECONNRESET"; the text of
// err if it wraps none. Errno 95 has two names: it returns that for sockets, EOPNOTSUPP.
func ErrnoName(err error) string {
	errno, ok := errors.AsType[unix.Errno](err)
	switch {
	case !ok:
		return err.Error()
	case errno == unix.EOPNOTSUPP:
		return "EOPNOTSUPP"
	}
	return unix.ErrnoName(errno)
}
