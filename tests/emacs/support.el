;;; support.el --- What the tests share  -*- lexical-binding: t; -*-

;; A workspace, waiting, a person who answers, a server to send requests to, and a report (TAP) on the standard
;; output.  The conversation with the language server is the real one.

;; The person's answers replace functions of Emacs itself.  That would start a compiler, which is not needed here.
(setq native-comp-enable-subr-trampolines nil
      comp-enable-subr-trampolines nil
      native-comp-deferred-compilation nil
      native-comp-jit-compilation nil)

(require 'cl-lib)
(require 'eglot)
(require 'ert)
(require 'url-util)
(defvar test-newcomer nil "Whether nothing of the package is there yet.")
(unless test-newcomer
  (add-to-list 'load-path (getenv "VAULTLS_ELISP"))
  (require 'vaultls)
  (setq vaultls-command (list (getenv "VAULTLS_BIN"))))

(setq eglot-sync-connect t
      ;; A machine may be busy.
      eglot-connect-timeout 120
      jsonrpc-default-request-timeout 120
      ;; Before Emacs 29, an edit that the server asks for is asked about again.
      eglot-confirm-server-initiated-edits nil
      make-backup-files nil)

(defconst test-canary "canary-emacs-2d81f6c07be3495a")
(defconst test-token "canary-token-e17b40a92c")
(defvar test-secrets (list test-canary test-token) "What must be nowhere in the editor in the end.")
(defvar test-folder (expand-file-name "workspace/" (getenv "VAULTLS_TEST_FOLDER")))
(defvar test-asked nil "What the person was asked, the newest first.")
(defvar test-reviewed nil "What was shown when the person was asked for trust.")
(defvar test-told nil "What was told, the newest first.")

(advice-add 'message :before (lambda (&rest text)
                               (when (car text) (push (apply #'format-message text) test-told))))

(defun test-wait (what condition)
  "Wait until CONDITION gives something, and return it; fail with WHAT after a while."
  (let ((deadline (+ (float-time) 60)) found)
    (while (not (or (setq found (funcall condition)) (> (float-time) deadline)))
      ;; Like the editor's own loop: changes of watched files come as events, and hold up the rest until they are read.
      (read-event nil nil 0.01))
    (or found (ert-fail (format "waited for %s in vain; asked: %S; told: %S" what test-asked
                                (seq-take test-told 6))))))

(defun test-write (name &rest lines)
  "Write LINES to the file NAME of the workspace."
  (let ((path (expand-file-name name test-folder)))
    (make-directory (file-name-directory path) t)
    (write-region (concat (string-join lines "\n") "\n") nil path nil 'quiet)
    path))

(defun test-open (name)
  "Open the file NAME of the workspace and start the server."
  (switch-to-buffer (find-file-noselect (expand-file-name name test-folder)))
  (delete-other-windows)
  (unless (eglot-current-server)
    (call-interactively #'eglot))
  (test-wait "the server" #'eglot-current-server))

(defun test-go-to (text)
  "Put point on TEXT."
  (goto-char (point-min))
  (unless (search-forward text nil t) (ert-fail (format "the buffer does not hold %s" text)))
  (goto-char (match-beginning 0)))

(defun test-sync ()
  "Tell the server every edit at once; Emacs waits until it is idle, which it never is here."
  (eglot--signal-textDocument/didChange))

(defun test-diagnostics ()
  "The messages of the diagnostics of this buffer."
  (flymake-start)
  (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))

(defun test-diagnosed (code)
  "Whether a diagnostic of this buffer has CODE."
  (cl-some (lambda (text) (string-match-p (regexp-quote (format "[%s]" code)) text)) (test-diagnostics)))

(defmacro test-with-person (answers &rest body)
  "Run BODY with a person who gives ANSWERS, a plist.
`:choose', `:enter' and `:hide' are lists of answers in order; a choice is a part of what is offered.
`:hide' may be a function of the question."
  (declare (indent 1))
  `(let ((answers (list ,@answers)))
     (setq test-asked nil test-told nil)
     (cl-letf (((symbol-function 'completing-read)
                (lambda (prompt collection &rest _)
                  (push prompt test-asked)
                  (let ((wanted (pop (plist-get answers :choose))))
                    (or (and wanted (cl-find wanted (all-completions "" collection) :test #'string-search)) wanted ""))))
               ((symbol-function 'read-string)
                (lambda (prompt &rest _) (push prompt test-asked) (or (pop (plist-get answers :enter)) "")))
               ((symbol-function 'yes-or-no-p)
                (lambda (prompt)
                  (push prompt test-asked)
                  (setq test-reviewed (test-shown "*vaultls trust*"))
                  (pop (plist-get answers :agree))))
               ((symbol-function 'read-passwd)
                (lambda (prompt &rest _)
                  (push (concat "hidden " prompt) test-asked)
                  (let ((hide (plist-get answers :hide)))
                    (copy-sequence (or (if (functionp hide) (funcall hide prompt) (pop (plist-get answers :hide)))
                                       ""))))))
       ,@body)))

(defun test-shown (name)
  "The text of the buffer NAME if a window shows it."
  (when-let ((buffer (get-buffer name)))
    (and (get-buffer-window buffer) (with-current-buffer buffer (buffer-string)))))

(defvar test-requests nil "What the test's server was sent, the newest first.")
(defvar test-bodies nil "What the test's server answers by path: the content type and the body.")

(defun test-serve ()
  "Start a server that answers with what it was sent, and return its address.  `/slow' is never answered."
  (let ((server (make-network-process :name "echo" :server t :host "127.0.0.1" :service t :family 'ipv4
                                      :noquery t :coding 'binary :filter #'test--serve)))
    (format "http://127.0.0.1:%d" (process-contact server :service))))

(defun test--serve (process text)
  "Answer what PROCESS sent with TEXT."
  (let ((request (concat (process-get process :request) text)))
    (process-put process :request request)
    (when (string-search "\r\n\r\n" request)
      (push request test-requests)
      (process-put process :request nil)
      (unless (string-prefix-p "GET /slow" request)
        (test--answer process request)))))

(defun test--answer (process request)
  "Answer REQUEST of PROCESS with what it says."
  (let* ((case-fold-search t)
         (path (progn (string-match "^[A-Z]+ \\([^ ]+\\)" request) (match-string 1 request)))
         (secret (if (string-match "^authorization: \\([^\r]*\\)" request) (match-string 1 request) ""))
         (said (url-unhex-string path))
         (status (if (string-prefix-p "/status/" said) (string-remove-prefix "/status/" said) "200 OK"))
         (known (cdr (assoc path test-bodies)))
         (body (or (cadr known)
                   (format "{\"path\":\"%s\",\"authorization\":\"%s\",\"count\":12345678901234567890.50}" path secret))))
    (process-send-string
     process (format "HTTP/1.1 %s\r\nContent-Type: %s\r\nX-Echo: %s\r\nContent-Length: %d\r\n\r\n%s"
                     status (or (car known) "application/json") secret (length body) body))))

(defun test-everything ()
  "All text that this Emacs holds in its buffers, histories and messages."
  (format "%S %S %S %S" (mapcar (lambda (buffer) (with-current-buffer buffer (buffer-string))) (buffer-list))
          kill-ring test-told
          (list minibuffer-history read-expression-history (bound-and-true-p extended-command-history))))

(defun test-nowhere (value)
  "Whether VALUE is nowhere in this Emacs, although the conversation with the server is."
  (let ((everything (test-everything)))
    (and (string-search "textDocument/didOpen" everything)
         (not (string-search value everything)))))

(defun test-run ()
  "Run the tests, look for the values that were entered, and report."
  (let* ((stats (ert-run-tests-batch t)) (tests (append (ert--stats-tests stats) nil))
         (results (append (cl-loop for test in tests for result across (ert--stats-test-results stats)
                                   collect (cons (ert-test-name test) (ert-test-result-expected-p test result)))
                          (mapcar (lambda (secret) (cons (format "%s-is-nowhere-in-the-editor" secret)
                                                         (test-nowhere secret)))
                                  test-secrets))))
    (princ (format "1..%d\n" (length results)))
    (pcase-dolist (`(,name . ,passed) results)
      (princ (format "%s %s\n" (if passed "ok" "not ok") name)))
    (ignore-errors (eglot-shutdown-all))
    (kill-emacs (if (cl-every #'cdr results) 0 1))))

(defun test-response ()
  "Wait for a response and return its text."
  (test-wait "a response" (lambda () (test-shown "*vaultls response*"))))

(defun test-forget-response ()
  "Remove the response that is shown."
  (when (get-buffer "*vaultls response*")
    (kill-buffer "*vaultls response*")))

(provide 'support)
;;; support.el ends here
