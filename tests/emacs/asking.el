;;; asking.el --- Trust, sign-in and links by choosing  -*- lexical-binding: t; -*-

(require 'support)

(defun asking-open (name)
  "Open a file of the workspace NAME, which wants an integration and a link approved."
  (unless (file-exists-p (expand-file-name name test-folder))
    (asking-write name))
  (test-open (concat name "/asking.http")))

(defun asking-write (name)
  "Write the workspace NAME."
  (test-write (concat name "/vaultls.toml")
              "[integrations.payments]"
              "provider = \"hashicorp\""
              "address = \"http://127.0.0.1:9\""
              "auth = { method = \"token\" }"
              ""
              "[secrets.stripe]"
              "integration = \"payments\""
              "engine = \"kv\""
              "path = \"payments/stripe\""
              "key = \"api_key\""
              "allowed-domains = [\"http://127.0.0.1\"]")
  (test-write (concat name "/asking.http") "GET https://api.example.com/" "X-Key: <<vault:stripe>>"))

(defvar asking-sent nil "The commands that were sent, the newest first, each with its argument.")

(defmacro asking-with-outcomes (outcomes &rest body)
  "Run BODY with a server that answers with OUTCOMES, in order."
  (declare (indent 1))
  `(let ((outcomes ,outcomes))
     (setq asking-sent nil)
     (cl-letf (((symbol-function 'vaultls--request)
                (lambda (command argument done &rest _)
                  (push (cons command argument) asking-sent)
                  (funcall done (pop outcomes)))))
       ,@body)))

(ert-deftest a-refused-definition-stays-untrusted ()
  (asking-open "refused")
  (test-wait "the diagnostic" (lambda () (test-diagnosed "untrusted")))
  (test-with-person (:agree '(nil))
    (vaultls-trust)
    (test-wait "the question" (lambda () test-asked))
    (should (string-search "payments" test-reviewed))
    (should (string-search "127.0.0.1:9" test-reviewed))
    (should (string-search "payments/stripe" test-reviewed))
    (should-not (get-buffer "*vaultls trust*"))
    (should (test-diagnosed "untrusted"))))

(ert-deftest trusted-definitions-count-and-the-token-is-asked-for-unseen ()
  (asking-open "trusted")
  (test-wait "the diagnostic" (lambda () (test-diagnosed "untrusted")))
  (test-with-person (:agree '(t))
    (vaultls-trust)
    (test-wait "the diagnostic to heal" (lambda () (not (test-diagnosed "untrusted")))))
  (test-with-person (:hide (list test-token))
    (vaultls-login "payments")
    (test-wait "the question" (lambda () test-asked))
    (should (string-prefix-p "hidden " (car test-asked)))
    ;; Nobody listens at the address, so the sign-in fails, and says so.
    (test-wait "the word" (lambda () (cl-some (lambda (told) (string-search "127.0.0.1:9" told)) test-told)))))

(ert-deftest sending-asks-for-trust-then-to-sign-in ()
  (asking-open "sending")
  (test-with-person (:agree '(t) :choose '("No"))
    (vaultls-run)
    (test-wait "the end" (lambda () (and test-asked (null vaultls--runs))))
    (should (= 2 (length test-asked)))
    (should (string-search "stripe" (car test-asked)))))

(ert-deftest a-link-is-chosen-step-by-step ()
  (asking-open "scripted")
  (test-with-person (:choose '("apps/" "(more)" "api_key") :enter '("http://127.0.0.1, example.com"))
    (asking-with-outcomes
        '((:outcome "choices" :title "kv" :items [(:label "apps/" :path ["apps"]) (:label "other/" :path ["other"])])
          (:outcome "choices" :title "kv/apps" :more "2" :items [(:label "first" :link (:integration "payments" :key "a"))])
          (:outcome "choices" :title "kv/apps" :items [(:label "api_key" :detail "version 3"
                                                               :link (:integration "payments" :key "api_key"))])
          (:outcome "done" :message "linked"))
      (vaultls--link (vaultls--argument :name "fresh" :integration "payments") #'ignore)
      (pcase-let ((`(,link ,last ,deeper ,first) asking-sent))
        (should (equal (plist-get (cdr first) :integration) "payments"))
        (should (equal (plist-get (cdr deeper) :path) ["apps"]))
        (should (equal (plist-get (cdr last) :page) "2"))
        (should (equal (plist-get (cdr last) :path) ["apps"]))
        (should (equal link (cons "vaultls.link" (list :uri (vaultls--uri) :name "fresh"
                                                       :link '(:integration "payments" :key "api_key"
                                                                  :allowedDomains ["http://127.0.0.1" "example.com"])))))))))

(ert-deftest a-part-of-a-link-may-be-typed ()
  (asking-open "scripted")
  (test-with-person (:choose '("(Path" "gone") :enter '("apps/fresh"))
    (asking-with-outcomes
        '((:outcome "choices" :title "kv" :items [] :ask (:label "Path"))
          (:outcome "choices" :title "kv" :items []))
      (vaultls--link (vaultls--argument :name "fresh" :integration "payments") #'ignore)
      (should (equal (plist-get (cdr (car asking-sent)) :path) ["apps/fresh"])))))

(ert-deftest giving-up-a-link-sends-nothing ()
  (asking-open "scripted")
  (test-with-person (:choose nil)
    (let ((settled 'unknown))
      (asking-with-outcomes '((:outcome "choices" :title "kv" :items [(:label "a" :path ["a"])]))
        (vaultls--link (vaultls--argument :name "fresh" :integration "payments") (lambda (done) (setq settled done)))
        (should (= 1 (length asking-sent)))
        (should-not settled)))))

(ert-deftest a-sign-in-in-the-browser-shows-its-code ()
  (asking-open "scripted")
  (test-with-person (:choose nil)
    (asking-with-outcomes '((:outcome "browser" :integration "payments" :url "https://login.example/device"
                                      :code "ABCD-EFGH" :message "Sign in to payments"))
      (vaultls-login "payments")
      (let ((shown (test-shown "*vaultls sign in*")))
        (should (string-search "https://login.example/device" shown))
        (should (string-search "ABCD-EFGH" shown)))
      (should (equal (current-kill 0) "ABCD-EFGH"))
      (should (string-search "signing in to payments" (vaultls--mode-line-text)))
      (with-current-buffer "*vaultls sign in*"
        (test-go-to "Copy the address")
        (push-button)
        (should (equal (current-kill 0) "https://login.example/device")))
      (should-error (vaultls-paste-address) :type 'user-error)
      (vaultls-cancel)
      (should-not (get-buffer "*vaultls sign in*"))
      (should-not (string-search "signing in" (or (vaultls--mode-line-text) ""))))))

(ert-deftest the-server-opens-pages-and-nothing-else-in-the-browser ()
  (asking-open "scripted")
  (let (visited (server (eglot-current-server)))
    (cl-letf (((symbol-function 'browse-url) (lambda (url &rest _) (push url visited))))
      (let ((show (lambda (uri)
                    (eglot-handle-request server 'window/showDocument :uri uri :external t))))
        (should (equal (funcall show "https://login.example/") '(:success t)))
        (should (equal (funcall show "file:///etc/passwd") '(:success :json-false)))))
    (should (equal visited '("https://login.example/")))))

(ert-deftest an-answer-may-lead-to-another-question ()
  (asking-open "scripted")
  (let ((vaultls-command (list "sh" "-c" "cat > answer.$2; echo '{\"outcome\":\"done\",\"message\":\"signed in\"}'" "sh"))
        (default-directory test-folder)
        settled)
    (test-with-person (:enter '("me") :hide '("123456"))
      (vaultls--settle '(:outcome "needsInput" :ticket "t1"
                                  :fields [(:id "user" :label "User" :kind "text") (:id "code" :label "Code" :kind "otp")])
                       (lambda (done) (setq settled done)))
      (test-wait "the end" (lambda () settled))
      (should (member "vaultls: signed in" test-told)))
    (with-temp-buffer
      (insert-file-contents "answer.t1")
      (should (equal (json-parse-string (buffer-string) :object-type 'plist) '(:user "me" :code "123456"))))))

(ert-deftest an-answer-that-is-not-taken-is-told ()
  (asking-open "scripted")
  (let ((vaultls-command (list "sh" "-c" "echo 'no such ticket' >&2; exit 1" "sh")) (settled 'unknown))
    (test-with-person (:hide '("x"))
      (vaultls--settle '(:outcome "needsInput" :ticket "t1" :fields [(:id "code" :label "Code" :kind "hidden")])
                       (lambda (done) (setq settled done)))
      (test-wait "the end" (lambda () (null settled)))
      (should (cl-some (lambda (told) (string-search "no such ticket" told)) test-told)))))

(ert-deftest an-outcome-that-is-not-known-is-told ()
  (asking-open "scripted")
  (test-with-person (:choose nil)
    (asking-with-outcomes '((:outcome "failed" :message "there is no command `vaultls.disconnect`"))
      (vaultls-disconnect "payments")
      (should (cl-some (lambda (told) (string-search "no command" told)) test-told)))))

(ert-deftest what-stands-in-the-way-of-a-list-is-settled-first ()
  (asking-open "scripted")
  (test-with-person (:choose '("Sign in" "api_key") :enter '(""))
    (asking-with-outcomes
        '((:outcome "failed" :code "login-needed" :message "sign in first")
          (:outcome "done" :message "signed in")
          (:outcome "choices" :title "kv" :items [(:label "api_key" :link (:integration "payments" :key "api_key"))])
          (:outcome "done" :message "linked"))
      (vaultls--link (vaultls--argument :name "fresh" :integration "payments") #'ignore)
      (should (equal (mapcar #'car asking-sent) '("vaultls.link" "vaultls.browse" "vaultls.login" "vaultls.browse"))))))

(ert-deftest where-nothing-can-be-listed-the-place-is-typed ()
  (asking-open "scripted")
  (test-with-person (:choose '("Type the place") :enter '("kv" "apps/fresh" "token" "3" ""))
    (asking-with-outcomes
        '((:outcome "failed" :code "unreachable" :message "nobody answers") (:outcome "done" :message "linked"))
      (cl-letf (((symbol-function 'vaultls--report)
                 (lambda () '(:integrations [(:name "payments" :provider "hashicorp")]))))
        (vaultls--link (vaultls--argument :name "fresh" :integration "payments") #'ignore))
      (should (equal (plist-get (cdr (car asking-sent)) :link)
                     '(:integration "payments" :engine "kv" :path "apps/fresh" :key "token" :version 3))))))

(ert-deftest one-can-go-back-and-look-for-a-part-of-a-name ()
  (asking-open "scripted")
  (test-with-person (:choose '("apps/" "(back)" "(filter)" "other/" nil) :enter '("oth"))
    (let ((top '(:outcome "choices" :title "kv" :items [(:label "apps/" :path ["apps"]) (:label "other/" :path ["other"])])))
      (asking-with-outcomes
          (list top '(:outcome "choices" :title "kv/apps" :items []) top top '(:outcome "choices" :items []))
        (vaultls--link (vaultls--argument :name "fresh" :integration "payments") #'ignore)
        (should (equal (mapcar (lambda (sent) (list (plist-get (cdr sent) :path) (plist-get (cdr sent) :filter)))
                               (reverse asking-sent))
                       '((nil nil) (["apps"] nil) (nil nil) (nil "oth") (["other"] nil))))))))

(ert-deftest what-changed-since-it-was-trusted-is-shown-as-a-difference ()
  (let ((lines (vaultls--definition-lines
                '(:kind "secret" :name "stripe" :definition "x"
                        :changes [(:change "kept" :text "a = 1") (:change "removed" :text "b = 2")
                                  (:change "added" :text "b = 3")]))))
    (should (equal (mapcar #'substring-no-properties lines)
                   '("secret stripe (changed since you trusted it)" "    a = 1" "  - b = 2" "  + b = 3")))
    (should (eq 'diff-added (get-text-property 0 'face (nth 3 lines))))))

(ert-deftest quitting-a-question-ends-what-waited-for-it ()
  (asking-open "scripted")
  (let ((settled 'unknown))
    (cl-letf (((symbol-function 'completing-read) (lambda (&rest _) (signal 'quit nil))))
      (asking-with-outcomes '((:outcome "choices" :title "kv" :items [(:label "a" :path ["a"])]))
        (vaultls--link (vaultls--argument :name "fresh" :integration "payments") (lambda (done) (setq settled done)))))
    (should-not settled)))

(ert-deftest the-mode-line-tells-what-keeps-the-secrets-from-being-had ()
  (asking-open "told")
  (test-wait "the mode line" (lambda () (string-search "not trusted" (or (vaultls--mode-line-text) "")))))
