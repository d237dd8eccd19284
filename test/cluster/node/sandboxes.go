package main

import (
	"context"
	"sync"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// removeSandboxes removes the pods that an earlier run of the cluster left in containerd's store, whose processes are
// long dead. Images stay.
func removeSandboxes(ctx context.Context) error {
	return withRuntime(func(service cri.RuntimeServiceClient) error {
		list, err := service.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
		if err != nil {
			return err
		}
		var group sync.WaitGroup
		var once sync.Once
		var first error
		for _, sandbox := range list.Items {
			group.Add(1)
			go func() {
				defer group.Done()
				_, err := service.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: sandbox.Id})
				if err == nil {
					_, err = service.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: sandbox.Id})
				}
				if err != nil {
					once.Do(func() { first = err })
				}
			}()
		}
		group.Wait()
		return first
	})
}
