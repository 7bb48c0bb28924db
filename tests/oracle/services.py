#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sets up moto for tests/oracle/services_test.c: services.py URL waits until it answers, makes a user, a role and secrets, and prints
"ACCESS SECRET ARN". moto was started with INITIAL_NO_AUTH_ACTION_COUNT=7: these seven calls are free, all later signatures are checked."""
import json
import sys
import time
import urllib.request

import boto3

url = sys.argv[1]
for _ in range(600):
    try:
        urllib.request.urlopen(url + "/moto-api/", timeout=5).close()
        break
    except OSError:
        time.sleep(0.1)
more = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
iam, sm = boto3.client("iam", **more), boto3.client("secretsmanager", **more)
allow = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:user/takc"}}
iam.create_user(UserName="takc")
key = iam.create_access_key(UserName="takc")["AccessKey"]
iam.put_user_policy(UserName="takc", PolicyName="all", PolicyDocument=allow)
iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
iam.put_role_policy(RoleName="reader", PolicyName="all", PolicyDocument=allow)
sm.create_secret(Name="plain/key", SecretString="qqsecret plain")
arn = sm.create_secret(Name="fields", SecretString=json.dumps({"api_key": "qqsecret field", "n": 3}))["ARN"]
print(key["AccessKeyId"], key["SecretAccessKey"], arn, flush=True)
