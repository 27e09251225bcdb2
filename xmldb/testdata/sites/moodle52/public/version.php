<?php
$version = 2026042001.06;
$release = '5.2.1+ (Build: 20260714)';
$branch = '502';
