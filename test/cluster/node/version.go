package main

import "k8s.io/component-base/version"

// kubernetesVersion is set at the build, see ../binary.ts.
func kubernetesVersion() string { return version.Get().GitVersion }
