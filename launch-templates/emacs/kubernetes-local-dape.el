;;; kubernetes-local-dape.el --- kubernetes-local in Emacs with dape -*- lexical-binding: t; -*-

;; Copy this file to ~/.emacs.d/, change the lines marked "<- change", and add to your init.el:
;;   (load "~/.emacs.d/kubernetes-local-dape")
;; Then open a file of your program, set a breakpoint (M-x dape-breakpoint-toggle) and run M-x dape.

;;; Code:

(require 'dape)

(add-to-list
 'dape-configs
 `(kubernetes-local-cart
   modes (python-mode python-ts-mode) ; <- change: the modes of your program's files
   command "kubernetes-local"
   ;; The real debugger is named here already, so that Emacs gets its capabilities.
   command-args ("dap" "--delegate" "debugpy") ; <- change: your debugger, as below
   :type "kubernetes-local"
   :request "launch"
   :name "cart in the cluster"
   :target "service/cart" ; <- change: what runs here instead of in the cluster; or "deployment/NAME", "pod/NAME" …
   :namespace "shop" ; <- change
   :context "dev" ; <- change: a context of your kubeconfig
   ;; :container "cart" ; default: the one that the Service's ports lead to
   ;; :agentImage "registry.example.com/team/agent:1" ; where your cluster pulls the agent from: docs/agent-image.md
   ;; :ports (:8080 5000) ; if your program listens on another port here: container port, local port
   :delegate
   (:type "debugpy" ; <- change: your debugger, and below its own keys
    :request "launch"
    :program ,(expand-file-name "~/cart/main.py") ; <- change
    :cwd ,(expand-file-name "~/cart") ; <- change
    :console "integratedTerminal")))

(provide 'kubernetes-local-dape)
;;; kubernetes-local-dape.el ends here
