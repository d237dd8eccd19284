;;; kubernetes-local-dap-mode.el --- kubernetes-local in Emacs with dap-mode -*- lexical-binding: t; -*-

;; Copy this file to ~/.emacs.d/, change the lines marked "<- change", and add to your init.el:
;;   (load "~/.emacs.d/kubernetes-local-dap-mode")
;; Then open a file of your program, set a breakpoint (M-x dap-breakpoint-toggle) and run M-x dap-debug.

;;; Code:

(require 'dap-mode)

;; Debian 12 has a lsp-treemacs that asks for an option of a later treemacs; without it, no variables are shown.
(defvar treemacs-text-scale nil)

;; What is done with the cluster is told in these categories, which dap-mode shows to nobody.
(when dap-output-buffer-filter
  (add-to-list 'dap-output-buffer-filter "console")
  (add-to-list 'dap-output-buffer-filter "important"))

(defun kubernetes-local-configuration (configuration)
  "Add to CONFIGURATION how the debug adapter is started."
  ;; The real debugger is named here already, so that Emacs gets its capabilities.
  (let ((debugger (plist-get (plist-get configuration :delegate) :type)))
    (plist-put configuration :dap-server-path
               (append '("kubernetes-local" "dap") (and debugger (list "--delegate" debugger))))))

(dap-register-debug-provider "kubernetes-local" #'kubernetes-local-configuration)

(defun kubernetes-local-with-error-text (handler)
  "Let HANDLER of a failed response see what is wrong; dap-mode would show only the short name of the error."
  (lambda (response)
    (let* ((body (gethash "body" response))
           (problem (and (hash-table-p body) (gethash "error" body)))
           (text (and (hash-table-p problem) (gethash "format" problem))))
      (when text (puthash "message" text response)))
    (funcall handler response)))

(advice-add 'dap--session-init-resp-handler :filter-return #'kubernetes-local-with-error-text)

(dap-register-debug-template
 "cart in the cluster"
 (list
  :type "kubernetes-local"
  :request "launch"
  :name "cart in the cluster"
  :target "service/cart" ; <- change: what runs here instead of in the cluster; or "deployment/NAME", "pod/NAME" …
  :namespace "shop" ; <- change
  :context "dev" ; <- change: a context of your kubeconfig
  ;; :container "cart" ; default: the one that the Service's ports lead to
  ;; :agentImage "registry.example.com/team/agent:1" ; where your cluster pulls the agent from: docs/agent-image.md
  ;; :ports '(:8080 5000) ; if your program listens on another port here: container port, local port
  :delegate
  (list
   :type "debugpy" ; <- change: your debugger, and below its own keys
   :request "launch"
   :program (expand-file-name "~/cart/main.py") ; <- change
   :cwd (expand-file-name "~/cart") ; <- change
   ;; Its output goes to a buffer of the session. dap-mode starts terminals through a shell, without quoting.
   :console "internalConsole")))

(provide 'kubernetes-local-dap-mode)
;;; kubernetes-local-dap-mode.el ends here
