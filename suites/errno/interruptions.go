package errno

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// interruptions are calls that a signal's handler interrupts. Without a limit
// (SO_RCVTIMEO, SO_SNDTIMEO) recv(2) and connect(2) give EINTR only when the handler
// was installed without SA_RESTART; Go's handlers have it.
var interruptions = []recipe{
	{
		errno: unix.EINTR, call: "recv(2)",
		when:   "a signal's handler runs while the call waits, and the socket has a limit (SO_RCVTIMEO) or the handler no SA_RESTART",
		source: "signal(7), Interruption of system calls",
		cook: func(lab *harness.Lab) error {
			fd := dialled(lab)
			return interrupted(lab, func() error { return receivedBy(fd) })
		},
	},
	{
		errno: unix.EINTR, call: "connect(2)",
		when:   "a signal's handler runs while the call waits, as with recv(2); the attempt goes on, and connecting again gives EALREADY",
		source: "signal(7), Interruption of system calls; net/ipv4/af_inet.c, __inet_stream_connect",
		cook: func(lab *harness.Lab) error {
			fd := open(lab, int(lab.Family), unix.SOCK_STREAM)
			lab.Apply(scenarios.SilentDrop{})
			return interrupted(lab, func() error { return unix.Connect(fd, address(lab.Server.AddressPort(5000))) })
		},
	},
	{
		errno: unix.EINTR, call: "accept(2)",
		when:   "a signal's handler runs while the server waits, as with recv(2)",
		source: "signal(7), Interruption of system calls",
		cook: func(lab *harness.Lab) error {
			fd := open(lab, int(lab.Family), unix.SOCK_STREAM)
			if err := unix.Bind(fd, address(lab.Client.AddressPort(5000))); err != nil {
				return err
			}
			if err := unix.Listen(fd, 1); err != nil {
				return err
			}
			return interrupted(lab, func() error { return accept(fd) })
		},
	},
	{
		errno: unix.EINTR, call: "poll(2)",
		when:   "a signal's handler runs while the call waits, with SA_RESTART too",
		source: "signal(7), Interruption of system calls; poll(2)",
		cook: func(lab *harness.Lab) error {
			fds := []unix.PollFd{{Fd: int32(dialled(lab)), Events: unix.POLLIN}}
			return interrupted(lab, func() error {
				_, err := unix.Poll(fds, int(bound.Milliseconds()))
				return err
			})
		},
	},
}

// interrupted is what a call returns that waits while signals come.
func interrupted(lab *harness.Lab, call func() error) error {
	thread, result := make(chan int), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- unix.Gettid()
		result <- call()
	}()
	waiting := <-thread
	var err error
	returned := false
	lab.Apply(situation{
		what:   "a signal comes",
		byHand: "kill -URG $(pidof PROGRAM)",
		// Of a signal that comes before the call waits nothing is seen; Go's own
		// handler of SIGURG does nothing with one that nobody has asked for.
		arise: func() error {
			for !returned {
				if err := unix.Tgkill(unix.Getpid(), waiting, unix.SIGURG); err != nil {
					return err
				}
				select {
				case err = <-result:
					returned = true
				case <-time.After(time.Millisecond):
				}
			}
			return nil
		},
	})
	if !returned {
		err = <-result
	}
	return err
}
