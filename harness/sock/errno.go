package sock

import (
	"errors"

	"golang.org/x/sys/unix"
)

// ErrnoName is the name of an error's errno in manuals, such as "ECONNRESET", or the
// error's own text where there is none. Of the two names of 95 it is the one for
// sockets.
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
