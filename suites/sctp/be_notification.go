package sctp

import (
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// BeNotification succeeds if a message is a particular notification.
func BeNotification(want sock.Notification) types.GomegaMatcher {
	return WithTransform(sock.Message.Notified, Equal(want))
}
