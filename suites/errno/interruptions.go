package errno

import (
	"runtime"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// interruptions holds calls that a signal handler interrupts. Without a time limit
// (SO_RCVTIMEO, SO_SNDTIMEO) recv(2) and connect(2) give EINTR only if the handler was
// installed without SA_RESTART; Go installs its handlers with it.
var interruptions = []recipe{
	{
		errno: unix.EINTR, call: "recv(2)",
		when:   "a signal handler runs while the call waits; even with SA_RESTART if the socket has a time limit (SO_RCVTIMEO)",
		source: "signal(7), Interruption of system calls",
		produce: func(lab *harness.Lab) error {
			fd := dialled(lab, stream(lab))
			return interrupted(lab, func() error { return receiveOnce(fd) })
		},
	},
	{
		errno: unix.EINTR, call: "connect(2)",
		when:   "a signal handler runs while the call waits, as for recv(2); the attempt goes on, and a second connect(2) waits for its outcome",
		source: "signal(7), Interruption of system calls; net/ipv4/af_inet.c, __inet_stream_connect",
		produce: func(lab *harness.Lab) error {
			lab.Server.Listen(5000, 1)
			fd, outage := stream(lab), scenarios.SilentDrop{}
			lab.Apply(outage)
			err := interrupted(lab, func() error { return unix.Connect(fd, toServer(lab)) })
			time.Sleep(100 * time.Millisecond)
			info, infoErr := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			Expect(infoErr).NotTo(HaveOccurred())
			Expect(sock.State(info.State)).To(Equal(sock.SynSent), "the attempt goes on")
			lab.Heal(outage)
			Expect(dial(fd, toServer(lab))).To(Succeed())
			return err
		},
		waits: time.Second,
	},
	{
		errno: unix.EINTR, call: "accept(2)",
		when:   "a signal handler runs while the call waits, as for recv(2)",
		source: "signal(7), Interruption of system calls",
		produce: func(lab *harness.Lab) error {
			fd := stream(lab)
			Expect(unix.Listen(fd, 1)).To(Succeed())
			return interrupted(lab, func() error { return accept(fd) })
		},
	},
	{
		errno: unix.EINTR, call: "poll(2)",
		when:   "a signal handler runs while the call waits, even with SA_RESTART",
		source: "signal(7), Interruption of system calls; poll(2)",
		produce: func(lab *harness.Lab) error {
			fds := []unix.PollFd{{Fd: int32(dialled(lab, stream(lab))), Events: unix.POLLIN}}
			return interrupted(lab, func() error {
				_, err := unix.Poll(fds, int(bound.Milliseconds()))
				return err
			})
		},
	},
}

// interrupted returns what a call returns that waits while signals arrive.
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
		what:   "a signal arrives",
		byHand: "kill -URG $(pidof PROGRAM)",
		// A signal that arrives before the call waits has no effect, so this sends signals
		// until the call returns. Go's handler of SIGURG ignores signals that nobody has asked
		// for.
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
