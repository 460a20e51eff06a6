package image

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// bounded ends a request when the server sends nothing for some time, be it the header or
// the next part of the body.
type bounded struct {
	next     http.RoundTripper
	patience time.Duration
}

// errSilent is the error of such a request.
var errSilent = errors.New("sends nothing: its network or the machine itself is down, or a proxy stands between (HTTPS_PROXY)")

// RoundTrip implements http.RoundTripper.
func (b *bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(b.patience, func() { cancel(errSilent) })
	response, err := b.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		timer.Stop()
		err = whySilent(ctx, err)
		cancel(nil)
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, timer: timer, patience: b.patience}
	return response, nil
}

// whySilent returns errSilent where that is what ended a request.
func whySilent(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

// boundedBody is the body of an answer. The time that its reader takes does not count.
type boundedBody struct {
	io.ReadCloser
	ctx      context.Context
	cancel   context.CancelCauseFunc
	timer    *time.Timer
	patience time.Duration
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.patience)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF {
		err = whySilent(b.ctx, err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error {
	b.timer.Stop()
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}
