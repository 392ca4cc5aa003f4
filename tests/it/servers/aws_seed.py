"""Fills the emulator of AWS as root, and tells as JSON what a test cannot know before: ARNs, versions, keys."""

import json
import sys

import botocore.config
import botocore.session

ADDRESS, REGION, ROOT_ID, ROOT_KEY = sys.argv[1:5]
SESSION = botocore.session.Session()
CONFIG = botocore.config.Config(parameter_validation=False)


def client(service, key_id=ROOT_ID, key=ROOT_KEY):
    return SESSION.create_client(
        service,
        region_name=REGION,
        endpoint_url=ADDRESS,
        aws_access_key_id=key_id,
        aws_secret_access_key=key,
        config=CONFIG,
    )


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource):
    return {"Effect": "Allow", "Action": action, "Resource": resource}


secrets, iam = client("secretsmanager"), client("iam")
arns, versions = {}, {}


def store(name, **value):
    made = secrets.create_secret(Name=name, **value)
    arns[name], versions[name] = made["ARN"], made["VersionId"]


store("prod/db", SecretString="canary-aws-v1-7d20")
secrets.put_secret_value(SecretId=arns["prod/db"], SecretString="canary-aws-v2-91be")
fields = {"password": 'canary-"json"-é', "port": 5432, "tls": True, "object": {"a": 1}, "empty": "", "nil": None}
store("json", SecretString=json.dumps(fields, ensure_ascii=True))
store("binary", SecretBinary=b"\x00\xff\x10canary")
store("bytes", SecretBinary=b"canary-bytes-4c1d")
store("gone", SecretString="canary-gone")
secrets.delete_secret(SecretId=arns["gone"], RecoveryWindowInDays=7)
for index in range(100):
    store(f"many/{index}", SecretString=f"canary-many-{index}")


def user(name, *statements):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(*statements))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"id": made["AccessKeyId"], "key": made["SecretAccessKey"]}


both = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
users = {
    "reader": user("reader", allow(both, arns["prod/db"]), allow("sts:AssumeRole", "*")),
    "getter": user("getter", allow(both[0], arns["prod/db"])),
    "contract": user(
        "contract",
        allow(both, [f"arn:aws:secretsmanager:{REGION}:*:secret:{part}/*" for part in ("prod", "many")]),
        allow("secretsmanager:BatchGetSecretValue", "*"),
    ),
    "looker": user("looker", allow(both[1], "*")),
}
account = arns["json"].split(":")[4]
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{account}:user/reader"}}
role = iam.create_role(RoleName="team-reader", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
iam.put_role_policy(RoleName="team-reader", PolicyName="p", PolicyDocument=policy(allow(both, "*")))
given = client("sts", users["reader"]["id"], users["reader"]["key"]).assume_role(
    RoleArn=role, RoleSessionName="short", DurationSeconds=2
)["Credentials"]
users["short"] = {"id": given["AccessKeyId"], "key": given["SecretAccessKey"], "token": given["SessionToken"]}
json.dump({"arns": arns, "versions": versions, "users": users, "role": role}, sys.stdout)
