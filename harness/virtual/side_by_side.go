package virtual

import (
	"cmp"
	"context"
	"sync"
)

// SideBySide does n things in their order, so many at once, or as many as there are cores where
// atOnce is zero. After the first error, which it returns, it starts no more, and the context of
// the others ends. The error is the context's where that has ended.
func SideBySide(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	cores, err := Cores()
	if err != nil {
		return err
	}
	free := make(chan struct{}, cmp.Or(atOnce, len(cores)))
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	var group sync.WaitGroup
	for i := range n {
		select {
		case free <- struct{}{}:
		case <-running.Done():
			continue
		}
		group.Go(func() {
			defer func() { <-free }()
			if err := do(running, i); err != nil {
				end(err)
			}
		})
	}
	group.Wait()
	return context.Cause(running)
}
