;;; vaultls-lens.el --- Lines above requests that send them  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Eglot shows no code lenses, so this does: a line above each request says what stands in its way, and sends it
;; when it is clicked.  It is kept as fresh as the diagnostics are.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'vaultls-client)
(require 'vaultls-run)

(defconst vaultls--lens-delay 0.3
  "Seconds of rest after which lenses are asked for.")

(defvar-local vaultls--lens-timer nil
  "What will ask for the lenses of this buffer.")

;;;###autoload
(define-minor-mode vaultls-lens-mode
  "Show a line above each request that sends it.
A click on it sends the request, and so does \\<vaultls-http-mode-map>\\[vaultls-lens-act] below it."
  :lighter nil
  (vaultls--remove-lenses)
  (cond (vaultls-lens-mode
         (add-hook 'after-change-functions #'vaultls--lenses-soon nil t)
         (add-hook 'vaultls--diagnosed-hook #'vaultls--lenses-soon nil t)
         (vaultls--lenses-soon))
        (t
         (remove-hook 'after-change-functions #'vaultls--lenses-soon t)
         (remove-hook 'vaultls--diagnosed-hook #'vaultls--lenses-soon t))))

(defun vaultls--manage-lenses ()
  "Turn the lenses of this buffer on or off as Eglot begins or ends to manage it."
  (let ((served (vaultls--served-p)))
    (cond ((and served vaultls-lenses) (vaultls-lens-mode 1))
          ((and vaultls-lens-mode (not served)) (vaultls-lens-mode -1)))))

(add-hook 'eglot-managed-mode-hook #'vaultls--manage-lenses)

(cl-defmethod eglot-handle-request ((server vaultls-server) (_method (eql 'workspace/codeLens/refresh))
                                    &rest _)
  "Ask SERVER for all lenses again: it knows something new."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (and vaultls-lens-mode (vaultls--served-p) (eq (eglot-current-server) server))
        (vaultls--lenses-soon))))
  nil)

(defun vaultls--lenses-soon (&rest _)
  "Ask for the lenses of this buffer when the person rests."
  (when (timerp vaultls--lens-timer)
    (cancel-timer vaultls--lens-timer))
  (setq vaultls--lens-timer
        (run-with-timer vaultls--lens-delay nil #'vaultls--ask-lenses (current-buffer))))

(defun vaultls--ask-lenses (buffer)
  "Ask for the lenses of BUFFER and show them, unless it changed meanwhile."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (when (and vaultls-lens-mode (vaultls--served-p))
        (let ((tick (buffer-chars-modified-tick)))
          (jsonrpc-async-request
           (eglot-current-server) :textDocument/codeLens
           `(:textDocument (:uri ,(vaultls--uri)))
           :success-fn (lambda (lenses)
                         (when (buffer-live-p buffer)
                           (with-current-buffer buffer
                             (when (and vaultls-lens-mode (eq tick (buffer-chars-modified-tick)))
                               (vaultls--show-lenses lenses)))))
           :error-fn #'ignore
           :deferred :vaultls-lenses))))))

(defun vaultls--show-lenses (lenses)
  "Show LENSES of this buffer in place of those before."
  (vaultls--remove-lenses)
  (save-excursion
    (save-restriction
      (widen)
      (mapc #'vaultls--show-lens lenses))))

(defun vaultls--show-lens (lens)
  "Show LENS above its line."
  (goto-char (point-min))
  (forward-line (plist-get (plist-get (plist-get lens :range) :start) :line))
  (let ((overlay (make-overlay (point) (line-end-position) nil t)))
    (overlay-put overlay 'vaultls-lens (plist-get lens :command))
    (overlay-put overlay 'evaporate t)
    (overlay-put overlay 'before-string (vaultls--lens-text overlay))))

(defun vaultls--lens-text (overlay)
  "What is shown above the line of OVERLAY."
  (let ((map (make-sparse-keymap))
        (title (plist-get (overlay-get overlay 'vaultls-lens) :title)))
    (define-key map [mouse-1] (lambda ()
                                "Do what this line says."
                                (interactive)
                                (vaultls--act-lens overlay)))
    (concat (make-string (save-excursion (goto-char (overlay-start overlay)) (current-indentation)) ?\s)
            (propertize (concat "▷ " (vaultls--clean title))
                        'face 'vaultls-lens 'mouse-face 'highlight 'help-echo "mouse-1: send this request"
                        'pointer 'hand 'keymap map)
            "\n")))

(defun vaultls--remove-lenses ()
  "Remove the lenses of this buffer."
  (save-restriction
    (widen)
    (dolist (overlay (vaultls--lenses))
      (delete-overlay overlay))))

(defun vaultls--lenses ()
  "The lenses of this buffer, in its order."
  (sort (cl-remove-if-not (lambda (overlay) (overlay-get overlay 'vaultls-lens))
                          (overlays-in (point-min) (point-max)))
        (lambda (one other) (< (overlay-start one) (overlay-start other)))))

(defun vaultls--act-lens (overlay)
  "Carry out the command of the lens OVERLAY."
  (when-let ((buffer (overlay-buffer overlay))
             (command (overlay-get overlay 'vaultls-lens)))
    (with-current-buffer buffer
      (save-excursion
        (goto-char (overlay-start overlay))
        (vaultls--carry-out (plist-get command :command) (elt (plist-get command :arguments) 0))))))

(defun vaultls-lens-act ()
  "Do what the line above this request says."
  (interactive)
  (let ((above (cl-remove-if (lambda (overlay) (> (overlay-start overlay) (line-end-position))) (vaultls--lenses))))
    (vaultls--act-lens (or (car (last above)) (user-error "There is no request here")))))

(provide 'vaultls-lens)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls-lens.el ends here
