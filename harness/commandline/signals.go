package commandline

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/descendants"
)

// Interruptible calls a function with a context that the first SIGINT or SIGTERM ends, and SIGHUP
// unless nohup(1) has it ignored. The function then has to stop, which a line on standard error
// says it may take some time for. A second signal ends the process at once, by that signal, with
// all that it has started. When an interrupted function returns, what is left of that is killed
// as well.
func Interruptible(name, howLong string, do func(context.Context)) {
	started, err := descendants.Adopt()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		started = &descendants.Descendants{}
	}
	signals := []os.Signal{unix.SIGINT, unix.SIGTERM}
	if !signal.Ignored(unix.SIGHUP) {
		signals = append(signals, unix.SIGHUP)
	}
	second := make(chan os.Signal, 2) // the first one comes here, too
	signal.Notify(second, signals...)
	defer signal.Stop(second)
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-second:
		case <-done:
			return
		}
		<-ctx.Done()
		fmt.Fprintf(os.Stderr, "%s: %v: stopping, which may take %s; interrupt again to stop at once\n", name, context.Cause(ctx), howLong)
		select {
		case again := <-second:
			_ = started.Kill() // there is nobody to tell
			signal.Reset()
			_ = unix.Kill(unix.Getpid(), again.(unix.Signal))
		case <-done:
		}
	}()
	do(ctx)
	if ctx.Err() != nil {
		_ = started.Kill() // those that did not end when they were asked to
	}
}
