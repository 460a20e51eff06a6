// Package check compares the manifests beside it with what their engines have published: the
// Kubernetes Job with the Go types of batch/v1 (k8s.io/api), field by field, and the workflow of
// GitHub Actions with the syntax that actionlint knows. It is a module of its own, for the sake of
// what it imports.
package check
