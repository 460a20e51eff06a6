package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Entry is a conntrack entry: what the firewall knows of a flow.
type Entry struct {
	From, To           netip.AddrPort // of packets from the side that opened the flow
	ReplyFrom, ReplyTo netip.AddrPort // of packets from the other side; with NAT, other than To and From
	Protocol           uint8          // unix.IPPROTO_TCP, …
	State              string         // conntrack's name of the state of TCP and SCTP; empty for other protocols
	Timeout            time.Duration  // until the firewall forgets the flow, in whole seconds
	Assured            bool           // packets of both directions were seen
}

// String returns a line like those of conntrack(8).
func (e Entry) String() string {
	line := fmt.Sprintf("protocol %d %v > %v, replies %v > %v, forgotten in %v", e.Protocol, e.From, e.To, e.ReplyFrom, e.ReplyTo, e.Timeout)
	if e.State != "" {
		line = e.State + " " + line
	}
	if e.Assured {
		line += " ASSURED"
	}
	return line
}

// tcpStates has the kernel's names (nf_conntrack_proto_tcp.c, tcp_conntrack_names).
var tcpStates = [...]string{
	"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
}

// sctpStates has the kernel's names (nf_conntrack_proto_sctp.c, sctp_conntrack_names).
// Linux 6.3 dropped the last one.
var sctpStates = [...]string{
	"NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
}

func entryOf(f *conntrack.Flow) Entry {
	e := Entry{
		From:      netip.AddrPortFrom(f.TupleOrig.IP.SourceAddress, f.TupleOrig.Proto.SourcePort),
		To:        netip.AddrPortFrom(f.TupleOrig.IP.DestinationAddress, f.TupleOrig.Proto.DestinationPort),
		ReplyFrom: netip.AddrPortFrom(f.TupleReply.IP.SourceAddress, f.TupleReply.Proto.SourcePort),
		ReplyTo:   netip.AddrPortFrom(f.TupleReply.IP.DestinationAddress, f.TupleReply.Proto.DestinationPort),
		Protocol:  f.TupleOrig.Proto.Protocol,
		Timeout:   time.Duration(f.Timeout) * time.Second,
		Assured:   f.Status.Assured(),
	}
	if tcp := f.ProtoInfo.TCP; tcp != nil && int(tcp.State) < len(tcpStates) {
		e.State = tcpStates[tcp.State]
	}
	if sctp := f.ProtoInfo.SCTP; sctp != nil && int(sctp.State) < len(sctpStates) {
		e.State = sctpStates[sctp.State]
	}
	return e
}

func dialConntrack(ns *netns.Namespace) (*conntrack.Conn, error) {
	var conn *conntrack.Conn
	err := ns.Do(func() (err error) {
		conn, err = conntrack.Dial(&netlink.Config{})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening the conntrack table of %s: %w", ns.Name(), err)
	}
	return conn, nil
}

// record adds the conntrack events of a namespace to the timeline until stop is called. The
// time of an event is when it is read, on a busy machine some milliseconds late, because
// the kernel does not say when it happened.
func record(ns *netns.Namespace, t *timeline.Timeline) (stop func(), err error) {
	conn, err := dialConntrack(ns)
	if err != nil {
		return nil, err
	}
	events := make(chan conntrack.Event, 64)
	failed, err := conn.Listen(events, 1, []netfilter.NetlinkGroup{
		netfilter.GroupCTNew, netfilter.GroupCTUpdate, netfilter.GroupCTDestroy,
	})
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("subscribing to the conntrack events of %s: %w", ns.Name(), err)
	}
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case e := <-events:
				if e.Flow != nil {
					t.Add(eventOf(ns.Name(), e))
				}
			case err := <-failed:
				t.Addf(ns.Name(), timeline.Conntrack, "events end: %v", err)
			case <-done:
				return
			}
		}
	}()
	return func() {
		// Close waits for the library's goroutine. If that is about to send an event,
		// the goroutine above receives it.
		_ = conn.Close()
		close(done)
		<-stopped
	}, nil
}

// eventOf returns an event of a host's conntrack table as the timeline has it.
func eventOf(host string, e conntrack.Event) timeline.Event {
	entry, now := entryOf(e.Flow), time.Now()
	event := timeline.Event{
		At: now, Who: host, Kind: timeline.Conntrack, What: fmt.Sprintf("%s %v", eventName(e), entry),
		Subject: fmt.Sprintf("%v > %v", entry.From, entry.To), Flow: [2]netip.AddrPort{entry.From, entry.To},
	}
	if e.Type != conntrack.EventDestroy {
		event.State, event.Expires = cmp.Or(entry.State, "TRACKED"), now.Add(entry.Timeout)
	}
	return event
}

func eventName(e conntrack.Event) string {
	switch e.Type {
	case conntrack.EventNew:
		return "new"
	case conntrack.EventUpdate:
		return "update"
	case conntrack.EventDestroy:
		return "destroy"
	}
	return fmt.Sprintf("event %d", e.Type)
}

// Entries returns the flows that the firewall knows.
func (f *Firewall) Entries() ([]Entry, error) {
	flows, err := f.conntrack.Dump(nil)
	if err != nil {
		return nil, fmt.Errorf("reading the conntrack table of %s: %w", f.ns.Name(), err)
	}
	entries := make([]Entry, len(flows))
	for i := range flows {
		entries[i] = entryOf(&flows[i])
	}
	return entries, nil
}

// Find returns the entry of a TCP or SCTP flow between two addresses, those that the client
// sees; ok is false if the firewall knows no such flow.
func (f *Firewall) Find(client, server netip.AddrPort) (entry Entry, ok bool, err error) {
	entries, err := f.Entries()
	if err != nil {
		return Entry{}, false, err
	}
	for _, e := range entries {
		if (e.Protocol == unix.IPPROTO_TCP || e.Protocol == unix.IPPROTO_SCTP) && e.From == client && e.To == server {
			return e, true, nil
		}
	}
	return Entry{}, false, nil
}

// forget deletes the entry of a flow, so that the firewall does not know its next packet.
func (f *Firewall) forget(client, server netip.AddrPort) error {
	flow := conntrack.NewFlow(unix.IPPROTO_TCP, 0, client.Addr(), server.Addr(), client.Port(), server.Port(), 0, 0)
	if err := f.conntrack.Delete(flow); err != nil {
		return fmt.Errorf("forgetting the flow %v > %v on %s: %w: there may be no entry: the firewall tracks flows that began after its policy was set", client, server, f.ns.Name(), err)
	}
	return nil
}

// Flush forgets every flow, as a firewall does when it reboots.
func (f *Firewall) Flush() error {
	if err := f.conntrack.Flush(); err != nil {
		return fmt.Errorf("flushing the conntrack table of %s: %w", f.ns.Name(), err)
	}
	return nil
}
