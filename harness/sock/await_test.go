package sock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// impatience is a cause that no other wait can have.
func impatience(t *testing.T) (context.Context, error) {
	cause := errors.New("mine")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, cause)
	t.Cleanup(cancel)
	return ctx, cause
}

func TestAWaiterDoesNotHoldAnotherBack(t *testing.T) {
	client, server := newMachine(t).pair(t, loopback4)
	patient := make(chan error, 1)
	go func() { patient <- client.AwaitReadable(t.Context()) }()
	for range 20 {
		ctx, cause := impatience(t)
		impatient := make(chan error, 1)
		go func() { impatient <- client.AwaitReadable(ctx) }()
		select {
		case err := <-impatient:
			if err != cause {
				t.Fatalf("beside another wait, one of 1 ms ends with %v, expected the cause of its context", err)
			}
		case err := <-patient:
			t.Fatalf("a wait without a deadline ends with %v when another does, expected it to go on", err)
		case <-time.After(5 * time.Second):
			t.Fatal("beside another wait, one of 1 ms has not ended after 5 s")
		}
	}
	send(t, server, "now")
	if err := <-patient; err != nil {
		t.Errorf("with data there, the wait ends with %v", err)
	}
}

// There is nothing to read: a wait may end only for its own reason.
func TestWaitsAtOnceEndEachForItsOwnReason(t *testing.T) {
	client, _ := newMachine(t).pair(t, loopback4)
	var waiters sync.WaitGroup
	for range 8 {
		waiters.Go(func() {
			for range 100 {
				ctx, cause := impatience(t)
				if err := client.AwaitReadable(ctx); err != cause {
					t.Errorf("a wait ends with %v, expected the cause of its own context", err)
				}
			}
		})
	}
	waiters.Wait()
}

func TestEveryWaiterIsToldOfDataAndOfClose(t *testing.T) {
	m := newMachine(t)
	client, server := m.pair(t, loopback4)
	told := func(want string, event func()) {
		t.Helper()
		const n = 4
		results := make(chan error, n)
		for range n {
			go func() { results <- client.AwaitReadable(promptly(t)) }()
		}
		<-time.After(20 * time.Millisecond) // most of them wait by then
		event()
		for range n {
			if err := <-results; (err == nil) != (want == "") || err != nil && err.Error() != want {
				t.Errorf("a waiter is told %v, expected %q", err, want)
			}
		}
	}
	told("", func() { send(t, server, "for all") })
	_, err := client.Receive(make([]byte, 100))
	must(t, err)
	told("file already closed", func() { must(t, client.Close()) })
}

func TestAContextThatIsOverStillLooksOnce(t *testing.T) {
	client, server := newMachine(t).pair(t, loopback4)
	over, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("over")
	cancel(cause)
	expect := func(when string, wait func(context.Context) error, want error) {
		t.Helper()
		for range 100 {
			if err := wait(over); err != want {
				t.Fatalf("%s: %v, expected %v", when, err, want)
			}
		}
	}
	expect("nothing to read", client.AwaitReadable, cause)
	expect("room to write", client.AwaitWritable, nil)
	send(t, server, "data")
	must(t, client.AwaitReadable(promptly(t)))
	expect("data to read", client.AwaitReadable, nil)
	receives(t, client, "data", nil)
}
